"""The head of a list whose values change a few at a time."""

import numpy as np
import numpy.typing as npt

from vitrine.retrieval.best import best

Rows = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


class Leaders:
    """Rows with the highest values, kept sorted; exact, though only rows that changed are looked at again.

    Every row outside the head has a value of at most ``floor``. A changed row joins the head when it exceeds that;
    one that falls to it leaves. When too few are left, the head is made anew from all rows.
    """

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._head: Rows = np.empty(0, np.int32)
        self._floor = 0.0
        self._touched: list[Rows] | None = None

    @property
    def complete(self) -> bool:
        """Whether no row outside the head has a positive value."""
        return self._floor <= 0

    def touch(self, rows: Rows) -> None:
        """The values of these rows changed."""
        if self._touched is not None:
            self._touched.append(rows)

    def forget(self) -> None:
        """All values changed."""
        self._touched = None

    def head(self, values: Values, tie: npt.NDArray[np.uint64]) -> Rows:
        """``int32[≤ about 2 × size]``: the head, best first.

        Args:
            values: ``float64[n]`` by row; only positive ones count.
            tie: ``uint64[n]``, decides between equal values.
        """
        if self._touched is None:
            return self._rebuild(values, tie)
        if self._touched:
            rows = np.union1d(self._head, np.concatenate(self._touched))
            self._touched = []
            rows = rows[(rows < len(tie)) & (values[rows] > self._floor)]
            if len(rows) < self._size // 2 and not self.complete:
                return self._rebuild(values, tie)
            self._head = rows[np.lexsort((tie[rows], -values[rows]))]
            if len(self._head) > 2 * self._size:
                self._cut(values)
        return self._head

    def _rebuild(self, values: Values, tie: npt.NDArray[np.uint64]) -> Rows:
        self._touched = []
        self._floor = 0.0
        rows = np.flatnonzero(values[: len(tie)] > 0).astype(np.int32)
        self._head = rows[best(values[rows], tie[rows], self._size + 1)]
        if len(self._head) > self._size:
            self._cut(values)
        return self._head

    def _cut(self, values: Values) -> None:
        # Rows level with the first one left out would be a choice by tie that a later change could not see.
        self._floor = float(values[self._head[self._size]])
        self._head = self._head[: int((values[self._head[: self._size]] > self._floor).sum())]
