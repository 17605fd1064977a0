"""Figures that others have published on the data set that is measured, recognised by its size and never by its name."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One published method.

    Attributes:
        method: Its name.
        cite: Where the method comes from.
        values: The measures that were published, named like ``recall@20``.
    """

    method: str
    cite: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Published:
    """What was published on a data set.

    Attributes:
        name: What the data set is called.
        protocol: By which protocol it was measured.
        size: Users (sessions, where sessions are learned from), items and training interactions; of leave-one-out all
            interactions.
        source: Where the figures stand.
        note: What is to be known about them.
        figures: The methods.
    """

    name: str
    protocol: str
    size: tuple[int, int, int]
    source: str
    note: str
    figures: tuple[Figure, ...]


def published(protocol: str, users: int, items: int, interactions: int) -> Published | None:
    """What was published on a data set of this size by this protocol; ``None`` for any other data set.

    Args:
        protocol: Name of the protocol.
        users: Users, or sessions of the training file.
        items: Items of all files.
        interactions: Rows of the training file; of leave-one-out those of the whole file.
    """
    for one in tables():
        if (one.protocol, one.size) == (protocol, (users, items, interactions)):
            return one
    return None


@cache
def tables() -> tuple[Published, ...]:
    """Every table that is known."""
    text = resources.files("vitrine_export.evaluate").joinpath("published.toml").read_text("utf-8")
    return tuple(_table(table) for table in tomllib.loads(text)["data"])


def _table(table: dict[str, Any]) -> Published:
    measures = table["measures"]
    figures = []
    for method in table["methods"]:
        pairs = zip(measures, method["values"], strict=True)
        # NaN: this measure was not published.
        values = {name: float(value) for name, value in pairs if value == value}  # noqa: PLR0124
        figures.append(Figure(method["name"], method["cite"], values))
    size = table["users"], table["items"], table["interactions"]
    return Published(table["name"], table["protocol"], size, table["source"], table["note"], tuple(figures))
