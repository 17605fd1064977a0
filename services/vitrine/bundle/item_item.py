"""Item-item neighbours: for each item, the items that go with it, best first."""

import threading
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle.scratch import Scratch, ranges

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


# Candidates of a request, or of a few.
_REMEMBERED = 8192


class _Hits(NamedTuple):
    """k entries that lead from some rows to some candidates.

    Attributes:
        source: ``int64[k]``, which row each is of.
        target: ``int32[k]``, 1 + the position of the candidate, of a repeated one the last.
        weights: ``float32[k]``.
        own: ``int32[m]``, the target of each candidate.
    """

    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int32]
    weights: Scores
    own: npt.NDArray[np.int32]


class ItemItem:
    """A sparse n × n matrix by rows (CSR). Row i lists what follows from an interest in item i.

    Safe to use from several threads. Rows of −1 ("not in the bundle") are allowed wherever rows are given; they
    contribute nothing and score 0.

    Attributes:
        indptr: ``int64[n + 1]``, row i owns entries ``indptr[i]`` to ``indptr[i + 1]``.
        indices: ``int32[nnz]``, neighbours, best first within a row.
        weights: ``float32[nnz]``, their weights, positive.
    """

    __slots__ = ("_own", "_scratch", "indices", "indptr", "weights")

    def __init__(
        self, indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.int32], weights: npt.NDArray[np.float32]
    ) -> None:
        # Plain arrays: indexing a memmap costs a subclass check each time.
        self.indptr = np.asarray(indptr, np.int64)
        self.indices = np.asarray(indices, np.int32)
        self.weights = np.asarray(weights, np.float32)
        self._scratch = Scratch()
        self._own = threading.local()

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
        hits = self._hits(rows, candidates)
        # In the order of the entries: the same sums.
        values = hits.weights * np.asarray(weights, np.float64)[hits.source]
        sums = np.bincount(hits.target, values, len(candidates) + 1)
        return sums[hits.own].astype(np.float32)

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
        hits = self._hits(rows, candidates)
        found = np.zeros((len(rows), len(candidates) + 1), np.float32)
        found[hits.source, hits.target] = hits.weights
        return found[:, hits.own]

    def summed(
        self, rows: Rows, candidates: Rows
    ) -> tuple[Scores, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Of each column of `between` the largest number, the sum and how many are above 0, without making the table.

        Few items lead to any candidate: the table is all but empty.

        Args:
            rows: ``int32[h]``, some items.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        hits = self._hits(rows, candidates)
        size = len(candidates) + 1
        largest = np.zeros(size, np.float32)
        np.maximum.at(largest, hits.target, hits.weights)
        total = np.bincount(hits.target, hits.weights, size).astype(np.float64, copy=False)
        counts = np.bincount(hits.target, minlength=size).astype(np.int64, copy=False)
        return largest[hits.own], total[hits.own], counts[hits.own]

    def pairs(self, rows_a: Rows, rows_b: Rows) -> Scores:
        """``float32[k]``: the weight of item ``rows_b[i]`` among the neighbours of ``rows_a[i]``; 0 when absent."""
        entries, source = self._entries(rows_a)
        hit = self.indices[entries] == np.asarray(rows_b, np.int32)[source]
        found = np.zeros(len(rows_a), np.float32)
        found[source[hit]] = self.weights[entries[hit]]
        return found

    def _hits(self, rows: Rows, candidates: Rows) -> "_Hits":
        """The entries of the rows that lead to a candidate; the latest two of each thread are remembered.

        A ranker and the columns ask for the same ones after one another, and few of the entries lead anywhere.
        """
        asked = np.asarray(rows, np.int32).tobytes(), np.asarray(candidates, np.int32).tobytes()
        latest: list[tuple[tuple[bytes, bytes], _Hits]] = getattr(self._own, "latest", [])
        for known, hits in latest:
            if known == asked:
                return hits
        entries, source = self._entries(rows)
        with self._places(candidates) as place:
            target = place[self.indices[entries]]
            some = np.flatnonzero(target)
            # Place 0 is of what is no candidate. A candidate of −1 has the last place, which no entry names.
            hits = _Hits(source[some], target[some], self.weights[entries[some]], place[candidates])
        if len(candidates) <= _REMEMBERED:
            # Of a history and of its latest items; batches in training are large, and never asked for twice.
            self._own.latest = [(asked, hits), *latest[:1]]
        return hits

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
