"""Reads a shop's logs (Parquet, CSV, JSON Lines, or the UCI Online Retail file) into a data set."""

from vitrine_export.importing.online_retail import import_online_retail
from vitrine_export.importing.report import ImportReport
from vitrine_export.importing.run import import_files

__all__ = ["ImportReport", "import_files", "import_online_retail"]
