"""Rows of many identifiers at once, by their hashes in columns: a dictionary waits for memory three times for each."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]

# Fewer are found sooner in the dictionary.
_FEW = 24
# So many are taken in at a time: a request shall not wait until a whole catalogue is.
_CHUNK = 65_536


class _Cells(NamedTuple):
    """``int64[m]`` hashes by row, and ``int32[c]`` rows by hash; a row is where its hash says, or has no cell.

    Cells are filled in place. An empty one names row 0, whose hash tells that it is another.
    """

    hashes: npt.NDArray[np.int64]
    rows: Rows

    def places(self, hashes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The first and the second cell of each hash."""
        mask = len(self.rows) - 1
        return hashes & mask, (hashes >> 32) & mask


class IdTable:
    """Finds rows. Any thread may ask.

    Identifiers are told apart by all 64 bits of Python's hash, whose key is secret and of this process alone unless
    PYTHONHASHSEED sets it. Should two items ever have the same one, the dictionary answers from then on. An unknown one may
    be taken for an item, once in 10^13 times with a million of these: what writes asks the dictionary.

    Args:
        ids: Identifiers by row, which grows.
        row_of: Rows by identifier, which grows after it.
    """

    def __init__(self, ids: Sequence[str], row_of: Mapping[str, int]) -> None:
        self._ids = ids
        self._row_of = row_of
        self._covered = 0
        self._cells = _Cells(np.empty(0, np.int64), np.zeros(1, np.int32))
        self._growing = Lock()
        self._of_use = True

    def rows(self, item_ids: Sequence[str]) -> Rows:
        """``int32[n]``: −1 for an unknown one."""
        n = len(item_ids)
        if (
            n >= _FEW
            and self._of_use
            and self._covered < len(self._row_of)
            and self._growing.acquire(blocking=False)
        ):
            # Who comes meanwhile does without.
            try:
                self._grow()
            finally:
                self._growing.release()
        if n < _FEW or not self._covered:
            return np.fromiter(map(self._row_of.get, item_ids, repeat(-1)), np.int32, n)
        cells = self._cells
        wanted = np.fromiter(map(hash, item_ids), np.int64, n)
        first, second = cells.places(wanted)
        rows = cells.rows.take(first)
        others = (cells.hashes.take(rows) != wanted).nonzero()[0]
        if len(others):
            found = cells.rows.take(second[others])
            for k in (cells.hashes.take(found) != wanted[others]).nonzero()[0].tolist():
                found[k] = self._row_of.get(item_ids[others[k]], -1)
            rows[others] = found
        return rows

    def _grow(self) -> None:
        """Takes in more rows; new cells replace those that are too few."""
        start, size = self._covered, len(self._row_of)
        if size > len(self._cells.hashes):
            room = max(1024, 1 << (size - 1).bit_length())
            hashes = np.zeros(room, np.int64)
            hashes[:start] = self._cells.hashes[:start]
            cells = _Cells(hashes, np.zeros(2 * room, np.int32))
            _place(cells, 0, start)
            self._cells = cells
        end = min(size, start + _CHUNK)
        self._cells.hashes[start:end] = np.fromiter(map(hash, self._ids[start:end]), np.int64, end - start)
        self._of_use = _place(self._cells, start, end)
        self._covered = end if self._of_use else 0


def _place(cells: _Cells, start: int, end: int) -> bool:
    """Gives rows a cell: the first or the second of its hash, if one of them is free; whether no hash comes twice."""
    # Row 0 looks like a free cell: it would not be met in one.
    if (cells.hashes[max(start, 1) : end] == cells.hashes[0]).any():
        return False
    rows = np.arange(start, end, dtype=np.int32)
    for place in cells.places(cells.hashes[start:end]):
        mine = place[rows - start]
        free = cells.rows[mine] == 0
        cells.rows[mine[free]] = rows[free]
        placed = cells.rows[mine]
        others = placed != rows
        rows, placed = rows[others], placed[others]
        # Who has the same hash has the same cells.
        if (cells.hashes[placed] == cells.hashes[rows]).any():
            return False
    return True
