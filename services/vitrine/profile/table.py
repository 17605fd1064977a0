"""Rows of float64 under string keys, packed: stored as they are, read as NumPy columns, updated cell by cell."""

from array import array
from math import exp2

import numpy as np
import numpy.typing as npt

from vitrine.profile.rules import Rules

# Columns of a table of counters.
COUNT, LONG, SHORT, LAST = range(4)
COUNTER_WIDTH = 4


class Table:
    """``n`` keys with ``width`` cells each, row after row.

    Attributes:
        width: Cells a row.
        keys: The n keys, in the order of their rows.
        cells: ``n × width`` cells.
    """

    __slots__ = ("_rows", "cells", "keys", "width")

    def __init__(self, width: int, keys: list[str] | None = None, cells: bytes = b"") -> None:
        self.width = width
        self.keys: list[str] = [] if keys is None else keys
        self.cells = array("d", cells)
        self._rows: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def rows(self) -> dict[str, int]:
        """Row of each key; made when first asked for, since reading a profile needs none."""
        rows = self._rows
        if rows is None:
            rows = self._rows = dict(zip(self.keys, range(len(self.keys)), strict=True))
        return rows

    def block(self) -> npt.NDArray[np.float64]:
        """``float64[n, width]``, a view; the table cannot grow while it lives."""
        return np.frombuffer(self.cells, np.float64).reshape(-1, self.width)

    def keep(self, chosen: npt.NDArray[np.intp]) -> None:
        """Forgets every row but these."""
        self.cells = array("d", self.block()[chosen].tobytes())
        keys = self.keys
        self.keys = [keys[row] for row in chosen.tolist()]
        self._rows = None

    def count(self, key: str, weight: float, time: float, rules: Rules) -> None:
        """Counts one event on a row of (count, long, short, last) and adds its weight to the interests.

        The interests stand as of ``last``: Σ weight × 2^(−(last − time) ÷ half-life), in whatever order events
        come.
        """
        rows = self.rows
        cells = self.cells
        row = rows.get(key)
        if row is None:
            rows[key] = len(rows)
            self.keys.append(key)
            cells.extend((1.0, weight, weight, time))
            return
        at = row * COUNTER_WIDTH
        cells[at] += 1.0
        age = time - cells[at + 3]
        if age > 0.0:
            cells[at + 1] = cells[at + 1] * exp2(-age / rules.long_half_life) + weight
            cells[at + 2] = cells[at + 2] * exp2(-age / rules.short_half_life) + weight
            cells[at + 3] = time
        elif weight:
            cells[at + 1] += weight * exp2(age / rules.long_half_life)
            cells[at + 2] += weight * exp2(age / rules.short_half_life)

    def trim(self, cap: int, rules: Rules) -> None:
        """Keeps seven eighths of ``cap`` counters, those of the greatest long-term interest now."""
        cells = self.block()
        last = cells[:, LAST]
        score = cells[:, LONG] * np.exp2((last - last.max()) / rules.long_half_life)
        del cells, last
        self.keep(best(score, cap - cap // 8))


def best(score: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.intp]:
    """The rows of the n greatest scores, in their order; the later row wins a tie."""
    ordered: npt.NDArray[np.intp] = np.argsort(score, kind="stable")
    return np.sort(ordered[-n:])
