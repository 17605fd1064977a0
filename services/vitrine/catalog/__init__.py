"""The catalogue: in memory as columns, on disk in SQLite, and in other processes as a follower."""

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.columns import Columns

__all__ = ["Catalog", "Columns"]
