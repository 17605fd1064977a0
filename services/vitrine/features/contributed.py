"""Columns that plugins contribute: what they may be called, and whether models can read what is here."""

import re
from collections.abc import Mapping, Sequence

from vitrine.domain.columns import Column, contributed_name
from vitrine.plugin import FeatureColumn

_NAME = re.compile("[a-z0-9_]{1,64}")
# Explanations carry it, in a table beside others.
_LONGEST = 200


def columns_of(plugin: str, columns: Sequence[FeatureColumn]) -> tuple[Column, ...]:
    """The columns of a plugin as models know them.

    Args:
        plugin: Its name.
        columns: As its block has them (`vitrine.plugin.FeatureBlock.columns`).

    Raises:
        ValueError: They cannot be had; the text says why.
    """
    if not isinstance(columns, tuple) or not all(isinstance(c, FeatureColumn) for c in columns):
        raise ValueError("columns of the block must be a tuple of vitrine.plugin.FeatureColumn")
    if not columns:
        raise ValueError("columns of the block are none; name at least one")
    made: dict[str, Column] = {}
    for told in columns:
        if not isinstance(told.name, str) or not _NAME.fullmatch(told.name):
            raise ValueError(f"{told.name!r} is no name of a column; use a-z, 0-9 and _, at most 64 of them")
        if told.name in made:
            raise ValueError(f"two columns have the name '{told.name}'; give each its own")
        if not isinstance(told.text, str) or not 0 < len(told.text) <= _LONGEST:
            raise ValueError(f"the text of column '{told.name}' must have 1 to {_LONGEST} characters")
        if type(told.version) is not int or not 0 <= told.version < 1_000_000_000:
            raise ValueError(f"the version of column '{told.name}' must be a whole number from 0 on")
        name = contributed_name(plugin, told.name)
        made[told.name] = Column(name, plugin, told.text, told.version)
    return tuple(made.values())


def unlike(pinned: Mapping[str, int], columns: Sequence[Column]) -> str:
    """Why the models of a bundle cannot read a plugin's columns; empty when they can.

    All of a plugin's columns or none: models have met lists without a plugin, but none with half of one.

    Args:
        pinned: Name and version of each of its columns that the bundle learned from (`vitrine.domain.columns.pinned`).
        columns: The columns that it has here.
    """
    here = {column.name: column.version for column in columns}
    for name, version in pinned.items():
        if name not in here:
            return f"the bundle learned from {name}, which the plugin has no more: train again"
        if here[name] != version:
            return f"the bundle learned from version {version} of {name}, here is {here[name]}: train again"
    return ""
