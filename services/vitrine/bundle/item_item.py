"""Item-item neighbours: for each item, the items that go with it, best first."""

from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from vitrine.bundle.scratch import Scratch, ranges

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


class ItemItem:
    """A sparse n × n matrix by rows (CSR). Row i lists what follows from an interest in item i.

    Safe to use from several threads. Rows of −1 ("not in the bundle") are allowed wherever rows are given; they
    contribute nothing and score 0.

    Attributes:
        indptr: ``int64[n + 1]``, row i owns entries ``indptr[i]`` to ``indptr[i + 1]``.
        indices: ``int32[nnz]``, neighbours, best first within a row.
        weights: ``float32[nnz]``, their weights, positive.
    """

    __slots__ = ("_scratch", "indices", "indptr", "weights")

    def __init__(
        self, indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.int32], weights: npt.NDArray[np.float32]
    ) -> None:
        # Plain arrays: indexing a memmap costs a subclass check each time.
        self.indptr = np.asarray(indptr, np.int64)
        self.indices = np.asarray(indices, np.int32)
        self.weights = np.asarray(weights, np.float32)
        self._scratch = Scratch()

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __repr__(self) -> str:
        return f"ItemItem({len(self):,} items, {len(self.indices):,} neighbours)"

    def scores(self, rows: Rows, weights: npt.NDArray[np.float64]) -> Scores:
        """``float32[n]``: the weighted sum of some rows, over all items.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
        """
        entries, source = self._entries(rows)
        values = self._values(entries, source, weights)
        return np.bincount(self.indices[entries], values, len(self)).astype(np.float32)

    def scores_at(self, rows: Rows, weights: npt.NDArray[np.float64], candidates: Rows) -> Scores:
        """``float32[m]``: the same as ``scores(rows, weights)[candidates]``, without visiting all items.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        entries, source = self._entries(rows)
        values = self._values(entries, source, weights)
        with self._places(candidates) as place:
            # Place 0 collects what is no candidate. A candidate of −1 has the last place, which no entry names.
            sums = np.bincount(place[self.indices[entries]], values, len(candidates) + 1)
            return sums[place[candidates]].astype(np.float32)

    def neighbours(self, rows: Rows, weights: npt.NDArray[np.float64]) -> tuple[Rows, Scores]:
        """The items that a history leads to, in no particular order: ``int32[m]`` and their scores ``float32[m]``.

        The same as the positive part of `scores`, without visiting all items.
        """
        entries, source = self._entries(rows)
        named = self.indices[entries]
        # Each item is summed up where it is named last.
        last, own = self._scratch.grouped("items", len(self) + 1, named)
        sums = np.bincount(last, self._values(entries, source, weights), len(named))
        return named[own], sums[own].astype(np.float32)

    def explain(
        self, rows: Rows, weights: npt.NDArray[np.float64], candidates: Rows
    ) -> npt.NDArray[np.int64]:
        """``int64[m]``: for each candidate, which position of the history adds most to its score; −1 for none.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
            candidates: ``int32[m]``.
        """
        entries, source = self._entries(rows)
        best = np.full(len(candidates) + 1, -1, np.int64)
        with self._places(candidates) as place:
            target = place[self.indices[entries]]
            # Few entries lead to a candidate; only those are weighed and sorted.
            hits = np.flatnonzero(target)
            target, source = target[hits], source[hits]
            values = self._values(entries[hits], source, weights)
            # The largest is written last. Equal ones: the first in the history.
            order = np.lexsort((-source, values))
            order = order[values[order] > 0]
            best[target[order]] = source[order]
            return best[place[candidates]]

    def between(self, rows: Rows, candidates: Rows) -> Scores:
        """``float32[h, m]``: the weight of each candidate among the neighbours of each row; 0 when absent.

        Args:
            rows: ``int32[h]``, some items.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        entries, source = self._entries(rows)
        # Place 0 collects what is no candidate.
        found = np.zeros((len(rows), len(candidates) + 1), np.float32)
        with self._places(candidates) as place:
            target = place[self.indices[entries]]
            hits = np.flatnonzero(target)
            found[source[hits], target[hits]] = self.weights[entries[hits]]
            return found[:, place[candidates]]

    def pairs(self, rows_a: Rows, rows_b: Rows) -> Scores:
        """``float32[k]``: the weight of item ``rows_b[i]`` among the neighbours of ``rows_a[i]``; 0 when absent."""
        entries, source = self._entries(rows_a)
        hit = self.indices[entries] == np.asarray(rows_b, np.int32)[source]
        found = np.zeros(len(rows_a), np.float32)
        found[source[hit]] = self.weights[entries[hit]]
        return found

    def _entries(self, rows: Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """All entries of the rows: where they are, and which row of the call each comes from."""
        known = np.flatnonzero(np.asarray(rows) >= 0)
        own = np.asarray(rows, np.int64)[known]
        return ranges(self.indptr[own], self.indptr[own + 1], known)

    def _values(
        self,
        entries: npt.NDArray[np.int64],
        source: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """What each entry adds to the score of the item it names."""
        values: npt.NDArray[np.float64] = self.weights[entries] * np.asarray(weights, np.float64)[source]
        return values

    def _places(self, candidates: npt.NDArray[np.integer]) -> AbstractContextManager[npt.NDArray[np.int32]]:
        """``int32[n + 1]``, 1 + position at each candidate; that of −1 is the last, which no entry names."""
        return self._scratch.places("items", len(self) + 1, candidates)
