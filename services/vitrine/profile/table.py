"""Rows of float64 under string keys, packed: stored as they are, read as NumPy columns, updated cell by cell."""

from array import array
from math import exp2

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.profile.rules import Rules
from vitrine.profile.strings import Strings, unpack

# Columns of a table of counters.
COUNT, LONG, SHORT, LAST = range(4)
COUNTER_WIDTH = 4

# Searches through the keys of a table after which a dictionary of them has paid for itself. Most tables come from
# disk, change once or twice, and are forgotten again.
_SEARCHES = 8


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
        keys = self.stored = unpack(self.stored)
        return keys

    def find(self, key: str) -> int:
        """Row of a key, −1 when it has none."""
        rows = self._rows
        if rows is not None:
            return rows.get(key, -1)
        if self._searches < _SEARCHES:
            self._searches += 1
            try:
                return self.keys.index(key)
            except ValueError:
                return -1
        keys = self.keys
        rows = self._rows = dict(zip(keys, range(len(keys)), strict=True))
        return rows.get(key, -1)

    def add(self, key: str, cells: tuple[float, ...]) -> int:
        """The row of a key that has none yet."""
        row = len(self)
        if self._rows is not None:
            self._rows[key] = row
        self.keys.append(key)
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
        self._rows = None

    def count(self, key: str, weight: float, time: float, rules: Rules) -> bool:
        """Counts one event on a row of (count, long, short, last) and adds its weight to the interests.

        The interests stand as of ``last``: Σ weight × 2^(−(last − time) ÷ half-life), in whatever order events
        come.

        Returns:
            Whether the key is new.
        """
        rows = self._rows
        row = self.find(key) if rows is None else rows.get(key, -1)
        if row < 0:
            self.add(key, (1.0, weight, weight, time))
            return True
        cells = self.cells
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
        return False

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
