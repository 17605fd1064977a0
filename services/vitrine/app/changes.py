"""What one configuration has otherwise than another, key by key, and which keys a running server cannot change."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vitrine.config import Config

# What lives longer than any generation was made with these: stores, profiles, the catalogue, counters, models.
FIXED = (
    "shop",
    "seed",
    "profile",
    "inference",
    "retrieval.popular_half_life_days",
    "retrieval.trending_half_life_days",
)


class Change(NamedTuple):
    """A key that differs.

    Attributes:
        key: Its path, for example ``scenes.home.diversity``.
        before: Its value in the one; ``None`` where that has none.
        after: Its value in the other, likewise.
    """

    key: str
    before: Any
    after: Any


def changes(before: Config, after: Config) -> list[Change]:
    """All keys that differ, in the order of the file. A scene or a plugin that only one has is one change."""
    return list(_changes("", before.model_dump(mode="json"), after.model_dump(mode="json")))


def fixed_changes(before: Config, after: Config) -> list[str]:
    """Keys that differ and that take a restart."""
    return [c.key for c in changes(before, after) if any(f"{c.key}.".startswith(f"{key}.") for key in FIXED)]


def _changes(at: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key), after.get(key)
        where = f"{at}.{key}" if at else key
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _changes(where, one, other)
        elif one != other:
            yield Change(where, one, other)
