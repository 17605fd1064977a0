"""Caps: at most so many items of a brand or a category in a list."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.config import RulesConfig
from vitrine.plugin import Items


class Cap(NamedTuple):
    """At most so many items of a code (a brand, a category) in a list; 0 for any number.

    Attributes:
        name: What explanations call it.
        codes: ``int32[n]``, by candidate; −1 (no brand) is never capped.
        most: Largest number of items of a code.
    """

    name: str
    codes: npt.NDArray[np.int32]
    most: int


def caps_of(items: Items, start: int, end: int, settings: RulesConfig) -> tuple[Cap, ...]:
    """The caps on candidates ``start`` to ``end`` of a batch, in the order in which they apply."""
    return (
        Cap("rules.max_per_brand", items.brand[start:end], settings.max_per_brand),
        Cap("rules.max_per_category", items.category[start:end], settings.max_per_category),
    )


def within_caps(codes: npt.NDArray[np.int32], cap: int) -> npt.NDArray[np.bool_]:
    """Which of a list's items stay when each code (brand, category) may come at most ``cap`` times.

    Args:
        codes: ``int32[n]`` in the order of the list; −1 (no brand) is never capped.
        cap: Largest number of items of a code.
    """
    by_code = np.argsort(codes, kind="stable")
    ordered = codes[by_code]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(codes) else by_code
    occurrence = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))
    keep = np.empty(len(codes), np.bool_)
    keep[by_code] = occurrence < cap
    return keep | (codes < 0)
