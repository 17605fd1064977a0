"""Rows of float64 under string keys, packed: stored as they are, read as NumPy columns, updated cell by cell."""

from array import array
from collections.abc import Sequence
from math import exp2

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.profile.rules import Rules
from vitrine.profile.strings import Strings, unpack

# Columns of a table of counters.
COUNT, LONG, SHORT, LAST = range(4)
COUNTER_WIDTH = 4

# Searches through the keys of a table from which on a dictionary of them pays for itself. Most tables come from disk,
# change once or a few times, and are forgotten again.
_SEARCHES = 3

# Of each event: the keys that it counts under, its weight and its time.
Counted = tuple[tuple[str, ...], float, float]


def _no_cells() -> "array[float]":
    return array("d")


class Table(msgspec.Struct, gc=False, eq=False):
    """``n`` keys with ``width`` cells each, row after row.

    Attributes:
        width: Cells a row.
        cells: ``n × width`` cells.
        stored: `keys`, packed until they are asked for.
    """

    width: int
    stored: Strings = []
    cells: "array[float]" = msgspec.field(default_factory=_no_cells)
    _rows: dict[str, int] | None = None
    _searches: int = 0

    def __len__(self) -> int:
        return len(self.cells) // self.width

    @property
    def keys(self) -> list[str]:
        """The n keys, in the order of their rows."""
        keys = self.stored
        if not isinstance(keys, list):
            keys = self.stored = unpack(keys, len(self.cells), self.width)
        return keys

    def expect(self, searches: int) -> None:
        """Makes a dictionary of the keys where it pays for so many more searches."""
        self._searches += searches
        if self._rows is None and self._searches >= _SEARCHES:
            self._index()

    def find(self, key: str) -> int:
        """Row of a key, −1 when it has none; see `expect`."""
        rows = self._rows
        if rows is not None:
            return rows.get(key, -1)
        try:
            return self.keys.index(key)
        except ValueError:
            return -1

    def add(self, key: str, cells: tuple[float, ...]) -> int:
        """The row of a key that has none yet."""
        keys = self.keys
        row = len(keys)
        if self._rows is not None:
            self._rows[key] = row
        keys.append(key)
        self.cells.extend(cells)
        return row

    def block(self) -> npt.NDArray[np.float64]:
        """``float64[n, width]``, a view; the table cannot grow while it lives."""
        return np.frombuffer(self.cells, np.float64).reshape(-1, self.width)

    def keep(self, chosen: npt.NDArray[np.intp]) -> None:
        """Forgets every row but these."""
        self.cells = array("d", self.block()[chosen].tobytes())
        keys = self.keys
        self.stored = [keys[row] for row in chosen.tolist()]
        if self._rows is not None:
            self._index()

    def count(self, events: Sequence[Counted], cap: int, rules: Rules) -> None:
        """Counts events, in order, on rows of (count, long, short, last) and adds their weights to the interests.

        The interests stand as of ``last``: Σ weight × 2^(−(last − time) ÷ half-life), in whatever order events
        come.

        Args:
            events: Each counts once under every one of its keys.
            cap: After an event that leaves more keys than this, the least of them go; see `trim`.
            rules: Half-lives.
        """
        self.expect(len(events))
        long, short = rules.long_half_life, rules.short_half_life
        rows, cells = self._rows, self.cells
        for keys, weight, time in events:
            new = False
            for key in keys:
                row = self.find(key) if rows is None else rows.get(key, -1)
                if row < 0:
                    self.add(key, (1.0, weight, weight, time))
                    new = True
                    continue
                at = row * COUNTER_WIDTH
                cells[at] += 1.0
                age = time - cells[at + 3]
                if age > 0.0:
                    cells[at + 1] = cells[at + 1] * exp2(-age / long) + weight
                    cells[at + 2] = cells[at + 2] * exp2(-age / short) + weight
                    cells[at + 3] = time
                elif weight:
                    cells[at + 1] += weight * exp2(age / long)
                    cells[at + 2] += weight * exp2(age / short)
            if new and len(self.keys) > cap:
                self.trim(cap, rules)
                rows, cells = self._rows, self.cells

    def trim(self, cap: int, rules: Rules) -> None:
        """Keeps seven eighths of ``cap`` counters, those of the greatest long-term interest now."""
        cells = self.block()
        last = cells[:, LAST]
        score = cells[:, LONG] * np.exp2((last - last.max()) / rules.long_half_life)
        del cells, last
        self.keep(best(score, cap - cap // 8))

    def _index(self) -> None:
        keys = self.keys
        self._rows = dict(zip(keys, range(len(keys)), strict=True))


def best(score: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.intp]:
    """The rows of the n greatest scores, in their order; the later row wins a tie."""
    ordered: npt.NDArray[np.intp] = np.argsort(score, kind="stable")
    return np.sort(ordered[-n:])
