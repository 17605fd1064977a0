"""Evaluation: what a pipeline is worth, measured through the code that serves, beside baselines that are hard to beat.

One file a protocol (`temporal` so far); what they share stands beside it: `lists`, `metrics`, `bootstrap`,
`baselines`, `serving`, `report`, `predictions`.
"""

from vitrine_export.evaluate.report import Report, Row, Table
from vitrine_export.evaluate.run import evaluate_temporal

__all__ = ["Report", "Row", "Table", "evaluate_temporal"]
