"""What looking up rows of sparse tables takes: ranges of entries, and tables of places that are kept between calls."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class _Kept:
    """A table as `kept_places` left it: what was asked for, and where it is not zero."""

    __slots__ = ("asked", "index", "table")

    def __init__(self, kind: type[np.generic]) -> None:
        self.table: npt.NDArray[Any] = np.zeros(0, kind)
        self.index: npt.NDArray[np.intp] = np.empty(0, np.intp)
        self.asked = (0, b"")


_own = threading.local()


def kept_places(
    name: str, size: int, rows: npt.NDArray[np.int32], kind: type[np.generic] = np.int32
) -> npt.NDArray[Any]:
    """``[size]``: 1 + position at each row (of a repeated one the last), else 0, also at the end: −1 has no place.

    It is this thread's own until it asks for others under that name, and not to be written. Several models are asked
    about the same candidates after one another, and their rows are those of one bundle.

    Args:
        name: Which of a thread's tables.
        size: One more than there are rows.
        rows: ``int32[m]``; −1 is none.
        kind: ``int32``; or ``bool``, a quarter of the memory, for when most rows that are looked up have no place.
    """
    kept: _Kept | None = getattr(_own, name, None)
    if kept is None:
        kept = _Kept(kind)
        setattr(_own, name, kept)
    asked = size, rows.tobytes()
    if kept.asked != asked:
        kept.asked = (0, b"")
        kept.table[kept.index] = 0
        kept.index = kept.index[:0]
        if len(kept.table) < size:
            # With room to grow, as a catalogue does.
            kept.table = np.zeros(size + size // 8, kind)
        index = rows.astype(np.intp)
        # A row that is not there is found before any is written.
        table = kept.table[:size]
        table[index] = np.arange(1, len(rows) + 1, dtype=np.int32)
        table[-1] = 0
        kept.index, kept.asked = index[index >= 0], asked
    return kept.table[:size]


class Scratch:
    """Tables of zeros, one of each name a thread: to clear what was written is quicker than to make a new one."""

    __slots__ = ("_own",)

    def __init__(self) -> None:
        self._own = threading.local()

    def table(self, name: str, size: int) -> npt.NDArray[np.int32]:
        """``int32[size]``, this thread's own, always of that size under that name, and zeros until something is written."""
        table: npt.NDArray[np.int32] | None = getattr(self._own, name, None)
        if table is None:
            table = np.zeros(size, np.int32)
            setattr(self._own, name, table)
        return table

    @contextmanager
    def places(self, name: str, size: int, rows: npt.NDArray[np.integer]) -> Iterator[npt.NDArray[np.int32]]:
        """``int32[size]`` with 1 + position at each of m rows (of a repeated one the last), else 0; cleared at the end."""
        table = self.table(name, size)
        table[rows] = np.arange(1, len(rows) + 1, dtype=np.int32)
        try:
            yield table
        finally:
            table[rows] = 0

    def grouped(self, name: str, size: int, keys: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
        """For each of some keys below ``size`` the position where it is named last, and those positions, ascending.

        A table is quicker than sorting; only what was just written is read, so that it need not be cleared.
        """
        index, numbers = keys.astype(np.intp), np.arange(len(keys), dtype=np.int32)
        table = self.table(f"last of {name}", size)
        # Much has been through the processor's caches since the last call: reads wait for memory together, writes do not.
        table.take(index)
        table[index] = numbers
        last = table.take(index)
        return last.astype(np.int64), (last == numbers).nonzero()[0]


def ranges(start: Ints, stop: Ints, names: Ints | None = None) -> tuple[Ints, Ints]:
    """All numbers of some ranges, one range after the other, and which range each is of.

    Args:
        start: ``int64[k]``, the first number of each.
        stop: ``int64[k]``, the number after the last of each.
        names: ``int64[k]``, what to call each; without them by its number.
    """
    lengths = stop - start
    begin = np.cumsum(lengths) - lengths
    numbers = np.repeat(start - begin, lengths)
    numbers += np.arange(len(numbers))
    return numbers, np.repeat(np.arange(len(start)) if names is None else names, lengths)


def order_of(rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """``int64[m]``: ``np.argsort(rows, kind="stable")`` of fewer than 2³² rows that are not below 0, many times as fast.

    As one sort of numbers that hold a row and, below it, its place: NumPy sorts those by vectors.
    """
    keys = rows.astype(np.int64) << 32
    keys |= np.arange(len(rows))
    keys.sort()
    keys &= (1 << 32) - 1
    return keys
