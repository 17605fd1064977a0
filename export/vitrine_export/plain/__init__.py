"""Data sets in the plain files of research: lines of items, with or without a user in front."""

from vitrine_export.plain.datasets import plain_dataset
from vitrine_export.plain.items import read_items
from vitrine_export.plain.lines import Lines, Prefixes, read_prefixes, read_sessions, read_users

__all__ = ["Lines", "Prefixes", "plain_dataset", "read_items", "read_prefixes", "read_sessions", "read_users"]
