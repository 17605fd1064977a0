"""The head of a list whose values change a few at a time."""

import numpy as np
import numpy.typing as npt

from vitrine.retrieval.best import best

Rows = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


class Leaders:
    """Rows with the highest values, kept sorted; exact, though only rows that changed are looked at again.

    Every row outside the head stands at or below a floor, a value and a tie-breaker. A changed row joins the head
    when it exceeds that; one that falls to it leaves. When too few are left, the head is made anew from all rows.
    """

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._head: Rows = np.empty(0, np.int32)
        self._floor = (0.0, np.uint64(0))
        self._touched: list[Rows] | None = None

    @property
    def complete(self) -> bool:
        """Whether no row outside the head has a positive value; else the head has at least half its size."""
        return self._floor[0] <= 0

    def touch(self, rows: Rows) -> None:
        """The values of these rows changed."""
        if self._touched is not None:
            self._touched.append(rows)

    def forget(self) -> None:
        """All values changed."""
        self._touched = None

    def head(self, values: Values, tie: npt.NDArray[np.uint64]) -> Rows:
        """``int32[≤ 2 × size]``: the head, best first.

        Args:
            values: ``float64[n]`` by row; only positive ones count.
            tie: ``uint64[n]``, decides between equal values.
        """
        if self._touched:
            touched = np.unique(np.concatenate(self._touched))
            self._touched = []
            rows = np.concatenate([self._head[~np.isin(self._head, touched)], touched[touched < len(tie)]])
            level, floor = values[rows], self._floor
            rows = rows[(level > floor[0]) | ((level == floor[0]) & (level > 0) & (tie[rows] < floor[1]))]
            if self.complete or len(rows) >= self._size // 2:
                return self._set(_sorted(rows, values, tie), 2 * self._size, values, tie)
            self._touched = None
        if self._touched is None:
            self._touched = []
            self._floor = (0.0, np.uint64(0))
            rows = np.flatnonzero(values[: len(tie)] > 0).astype(np.int32)
            return self._set(rows[best(values[rows], tie[rows], self._size + 1)], self._size, values, tie)
        return self._head

    def _set(self, rows: Rows, most: int, values: Values, tie: npt.NDArray[np.uint64]) -> Rows:
        if len(rows) > most:
            first_out = rows[self._size]
            self._floor = (float(values[first_out]), tie[first_out])
            rows = rows[: self._size]
        self._head = rows
        return rows


def _sorted(rows: Rows, values: Values, tie: npt.NDArray[np.uint64]) -> Rows:
    """The rows by value and tie-breaker; quick where most stand in order already."""
    rows = rows[np.argsort(-values[rows], kind="stable")]
    level, second = values[rows], tie[rows]
    if ((level[1:] == level[:-1]) & (second[1:] < second[:-1])).any():
        rows = rows[np.lexsort((second, -level))]
    return rows
