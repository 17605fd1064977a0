"""Columns of a frame, gathered by the width of their cells so that each is aligned without gaps."""

import numpy as np

from vitrine.hosting.process.frames import Array

# Asked for by text, numpy looks each of them up.
_DTYPE = {text: np.dtype(text) for text in ("<f8", "<i8", "<f4", "<i4", "|i1", "|b1")}


class Cells:
    """Gathers columns by the width of their cells."""

    def __init__(self) -> None:
        self._by_width: dict[int, list[Array]] = {8: [], 4: [], 1: []}
        self._counts = {8: 0, 4: 0, 1: 0}

    def add(self, column: Array, dtype: str, count: int) -> None:
        """Adds one.

        Raises:
            ValueError: It has not so many cells: the child would read others in their place.
        """
        cells = np.ascontiguousarray(column, _DTYPE[dtype])
        if cells.size != count:
            raise ValueError(f"a column of a batch has {cells.size} cells instead of {count}")
        width = cells.itemsize
        self._by_width[width].append(cells)
        self._counts[width] += count

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many cells there are of 8, 4 and 1 bytes."""
        return self._counts[8], self._counts[4], self._counts[1]

    @property
    def parts(self) -> list[Array]:
        """The columns in the order in which they lie in the frame."""
        return self._by_width[8] + self._by_width[4] + self._by_width[1]
