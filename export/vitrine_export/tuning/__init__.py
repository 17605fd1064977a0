"""Searches the settings of training on held-out shoppers, and keeps the defaults where nothing is surely better."""

from vitrine_export.tuning.report import StageReport, TuneReport
from vitrine_export.tuning.run import tune

__all__ = ["StageReport", "TuneReport", "tune"]
