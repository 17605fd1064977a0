"""Questions whose answers are known: what rankers of rankers learn from, and what all is measured on."""

from vitrine_export.exams.exam import Exam, LabelQuery
from vitrine_export.exams.held_out import HOLDOUTS, held_out_exams
from vitrine_export.exams.undated import without_times

__all__ = ["HOLDOUTS", "Exam", "LabelQuery", "held_out_exams", "without_times"]
