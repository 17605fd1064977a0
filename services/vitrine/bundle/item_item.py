"""Item-item neighbours: for each item, the items that go with it, best first."""

import threading

import numpy as np
import numpy.typing as npt

from vitrine.bundle.hits import Entries, Hits
from vitrine.bundle.scratch import Scratch, kept_places

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]

# Candidates of a request, or of a few.
_REMEMBERED = 8192


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
        entries = self._entries(rows)
        values = self._values(entries, weights)
        return np.bincount(entries.of(self.indices), values, len(self)).astype(np.float32)

    def scores_at(self, rows: Rows, weights: npt.NDArray[np.float64], candidates: Rows) -> Scores:
        """``float32[m]``: the same as ``scores(rows, weights)[candidates]``, without visiting all items.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        hits = self.hits(rows, candidates)
        # In the order of the entries: the same sums.
        values = hits.weights * np.asarray(weights, np.float64).take(hits.source)
        sums = np.bincount(hits.target, values, len(candidates) + 1)
        return sums.take(hits.own).astype(np.float32)

    def neighbours(self, rows: Rows, weights: npt.NDArray[np.float64]) -> tuple[Rows, Scores]:
        """The items that a history leads to, in no particular order: ``int32[m]`` and their scores ``float32[m]``.

        The same as the positive part of `scores`, without visiting all items.
        """
        entries = self._entries(rows)
        named = entries.of(self.indices)
        # Each item is summed up where it is named last.
        last, own = self._scratch.grouped("items", len(self) + 1, named)
        sums = np.bincount(last, self._values(entries, weights), len(named))
        return named.take(own), sums.take(own).astype(np.float32)

    def explain(
        self, rows: Rows, weights: npt.NDArray[np.float64], candidates: Rows
    ) -> npt.NDArray[np.int64]:
        """``int64[m]``: for each candidate, which position of the history adds most to its score; −1 for none.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
            candidates: ``int32[m]``.
        """
        hits = self._hits_of(rows, candidates)
        values = hits.weights * np.asarray(weights, np.float64).take(hits.source)
        # The largest is written last. Equal ones: the first in the history.
        order = np.lexsort((-hits.source, values))
        order = order[values[order] > 0]
        best = np.full(len(candidates) + 1, -1, np.int64)
        best[hits.target[order]] = hits.source[order]
        return best.take(hits.own)

    def pairs(self, rows_a: Rows, rows_b: Rows) -> Scores:
        """``float32[k]``: the weight of item ``rows_b[i]`` among the neighbours of ``rows_a[i]``; 0 when absent."""
        entries = self._entries(rows_a)
        source = entries.known.repeat(entries.lengths)
        hit = entries.of(self.indices) == np.asarray(rows_b, np.int32)[source]
        found = np.zeros(len(rows_a), np.float32)
        found[source[hit]] = entries.of(self.weights)[hit]
        return found

    def hits(self, rows: Rows, candidates: Rows) -> Hits:
        """The entries of the rows that lead to a candidate; the latest two of each thread are remembered.

        A ranker and the columns ask for the same ones after one another, and few of the entries lead anywhere.

        Args:
            rows: ``int32[h]``, some items.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        rows, candidates = np.asarray(rows, np.int32), np.asarray(candidates, np.int32)
        asked = rows.tobytes(), candidates.tobytes()
        latest = self._latest
        for known, hits in latest:
            if known == asked:
                return hits
        # By what was asked: a plugin may use its arrays again.
        hits = self._found(np.frombuffer(asked[0], np.int32), np.frombuffer(asked[1], np.int32))
        if len(candidates) <= _REMEMBERED:
            # Of a history and of its latest items; batches in training are large, and never asked for twice.
            self._own.latest = [(asked, hits), *latest[:1]]
        return hits

    def hits_of_some(self, rows: Rows, candidates: Rows) -> Hits:
        """As `hits`, in another order: taken out of what is remembered where more rows were asked about before.

        Args:
            rows: ``int32[h]``, each told once.
            candidates: As for `hits`.
        """
        theirs = candidates.tobytes()
        for (_, asked), hits in self._latest:
            found = hits.of_rows(rows) if asked == theirs else None
            if found is not None:
                return found
        return self.hits(rows, candidates)

    def _hits_of(self, rows: Rows, candidates: Rows) -> Hits:
        """As `hits`, taken out of what is remembered where more candidates were asked about before."""
        own = rows.tobytes()
        for (asked, _), hits in self._latest:
            found = hits.of_candidates(candidates, len(self) + 1) if asked == own else None
            if found is not None:
                return found
        return self.hits(rows, candidates)

    @property
    def _latest(self) -> list[tuple[tuple[bytes, bytes], Hits]]:
        """What this thread asked for last, and what it found; the latest first."""
        latest: list[tuple[tuple[bytes, bytes], Hits]] = getattr(self._own, "latest", [])
        return latest

    def _found(self, rows: Rows, candidates: Rows) -> Hits:
        """As `hits`."""
        entries = self._entries(rows)
        among = kept_places("bundle_among", len(self) + 1, candidates, np.bool_)
        places = kept_places("bundle", len(self) + 1, candidates)
        named = entries.of(self.indices)
        some = among.take(named).nonzero()[0]
        # How many are of each row: what is few is looked for in what is many.
        ends = entries.lengths.cumsum()
        until = some.searchsorted(ends)
        counts = until.copy()
        counts[1:] -= until[:-1]
        at = some + (entries.starts + entries.lengths - ends).repeat(counts)
        source, weights = entries.known.repeat(counts), self.weights.take(at)
        target = places.take(named.take(some))
        return Hits(rows, candidates, source, target, weights, places.take(candidates))

    def _entries(self, rows: Rows) -> Entries:
        """All entries of the rows."""
        known = (np.asarray(rows) >= 0).nonzero()[0]
        own = np.asarray(rows).take(known)
        starts = self.indptr.take(own)
        return Entries(known, starts, self.indptr.take(own + 1) - starts)

    def _values(self, entries: Entries, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What each entry adds to the score of the item it names."""
        each = np.asarray(weights, np.float64).take(entries.known).repeat(entries.lengths)
        values: npt.NDArray[np.float64] = entries.of(self.weights) * each
        return values
