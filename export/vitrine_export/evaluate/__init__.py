"""Evaluation: what the recommendations are worth, by protocols that never let training see the answers."""

from vitrine_export.evaluate.report import Report, Row, Table
from vitrine_export.evaluate.run import evaluate_temporal
from vitrine_export.evaluate.run_tasks import evaluate_tasks
from vitrine_export.evaluate.tasks import Task, fixed_split, leave_one_out, sessions

__all__ = [
    "Report",
    "Row",
    "Table",
    "Task",
    "evaluate_tasks",
    "evaluate_temporal",
    "fixed_split",
    "leave_one_out",
    "sessions",
]
