"""What queries took, in order, as columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sequences:
    """What each of q queries took, oldest first, repeats and all.

    Attributes:
        offsets: ``int64[q + 1]``; query i owns entries ``offsets[i]`` to ``offsets[i + 1]``.
        items: ``int32[m]`` codes.
        moments: ``int32[m]``, which moment of its query, from 0, each entry belongs to; entries of one moment (an
            invoice) stand in no order.
    """

    offsets: npt.NDArray[np.int64]
    items: Codes
    moments: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """``int64[q]``."""
        return np.diff(self.offsets)

    @property
    def queries(self) -> npt.NDArray[np.int64]:
        """``int64[m]``: the query that each entry belongs to."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @property
    def ages(self) -> npt.NDArray[np.int64]:
        """``int64[m]``: how many moments of its query come after each entry; 0 for the latest."""
        last = np.zeros(len(self), np.int64)
        some = self.sizes > 0
        last[some] = self.moments[self.offsets[1:][some] - 1]
        ages: npt.NDArray[np.int64] = last[self.queries] - self.moments
        return ages

    def of(self, query: int) -> Codes:
        """The items of one query."""
        return self.items[self.offsets[query] : self.offsets[query + 1]]

    def take(self, queries: npt.NDArray[np.intp]) -> "Sequences":
        """The sequences of some queries."""
        sizes = self.sizes[queries]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        entries = np.arange(offsets[-1]) + np.repeat(self.offsets[queries] - offsets[:-1], sizes)
        return Sequences(offsets, self.items[entries], self.moments[entries])

    def counts(self, items: int) -> "sp.csr_array[np.float64, tuple[int, int]]":
        """``float64[q, items]``: how often each query has each item."""
        # A copy: adding up repeats works in place.
        entries = np.ones(len(self.items)), self.items, self.offsets
        rows = sp.csr_array(entries, (len(self), items), copy=True)
        rows.sum_duplicates()
        return rows

    @classmethod
    def of_rows(
        cls,
        queries: npt.NDArray[np.integer],
        items: npt.NDArray[np.integer],
        size: int,
        times: npt.NDArray[np.floating] | None = None,
    ) -> Self:
        """Sequences out of rows; rows of query or item −1 are left out.

        Args:
            queries: ``int[m]``, the query of each row.
            items: ``int[m]`` codes; the rows of a query stand in order, or ``times`` order them.
            size: How many queries.
            times: ``float[m]``: rows of a query with equal times are one moment; without it each is one.
        """
        keep = np.flatnonzero((queries >= 0) & (items >= 0))
        order = keep[np.argsort(queries[keep], kind="stable")]
        if times is not None:
            order = keep[np.lexsort((times[keep], queries[keep]))]
        query = queries[order]
        offsets = np.searchsorted(query, np.arange(size + 1)).astype(np.int64)
        new = np.ones(len(order), np.bool_)
        if times is not None:
            new[1:] = (np.diff(times[order]) != 0) | (np.diff(query) != 0)
        begun = np.cumsum(new)
        first = (
            begun[np.minimum(offsets[:-1], max(len(begun) - 1, 0))] if len(begun) else np.zeros(size, np.intp)
        )
        moments = begun - np.repeat(first, np.diff(offsets))
        return cls(offsets, items[order].astype(np.int32), moments.astype(np.int32))
