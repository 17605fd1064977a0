"""An index of vectors for highest products: inverted lists, of which a search looks into the most promising.

Inverted file with whole vectors in place of codes (Jégou, Douze & Schmid, IEEE TPAMI 33(1), 2011, section IV;
"IVF-Flat" in faiss). A list is one block of memory, so looking through it is one product in BLAS.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle.kmeans import centroids_of, nearest_centroids
from vitrine.content.model import Vectors

Rows = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
# What a search finds of the exact best, on average, and how sure that is after so many targets, in standard errors.
# 0.98 is promised: shoppers differ from the targets, and few of these, far from the rest, make most of what is missed.
_RECALL, _SURE = 0.99, 2.33
_DEPTHS = (100, 200, 500, 1_000, 5_000, 20_000)


class Scanned(NamedTuple):
    """``float32[m]`` products of what was looked at, and ``int64[k]``: where each of k blocks of it is from and starts."""

    scores: Vectors
    positions: Ints
    starts: Ints


class InvertedLists:
    """n vectors, those of each of l groups together. Immutable; any thread may search.

    Args:
        vectors: ``float32[n, d]``.
        targets: ``float32[t, d]``, like those that will be searched for; they tell how many lists that takes.

    Attributes:
        list_of: ``int16[n]``, the list of each row.
    """

    def __init__(self, vectors: Vectors, targets: Vectors) -> None:
        self._centroids = centroids_of(vectors, 1 << int(np.ceil(np.log2(len(vectors)) / 2)))
        self.list_of = nearest_centroids(vectors, self._centroids)
        self._rows: Rows = np.argsort(self.list_of, kind="stable").astype(np.int32)
        self._bounds: Ints = np.concatenate(([0], np.cumsum(self.counts(np.arange(len(vectors))))))
        self._vectors = vectors[self._rows]
        self._depths = [depth for depth in _DEPTHS if depth < len(vectors)]
        self._enough = self._measured(vectors, targets)
        # All of them are in all lists.
        self._depths.append(len(vectors))
        self._enough = np.append(self._enough, len(self._centroids))

    def __len__(self) -> int:
        return len(self._rows)

    def counts(self, rows: npt.NDArray[np.integer]) -> Ints:
        """``int64[l]``: how many of some rows each list holds."""
        return np.bincount(self.list_of[rows], minlength=len(self._centroids))

    def enough(self, depth: float) -> int:
        """How many lists hold the best ``depth``: the best 200, or the best 20 where a tenth of all is allowed."""
        return int(np.ceil(np.interp(depth, self._depths, self._enough)))

    def promising(self, target: Vectors, count: int, within: npt.NDArray[np.integer]) -> Ints:
        """``int64[≤ count]``: of the lists ``within``, those that lie best, in no order."""
        if count >= len(within):
            return within.astype(np.int64)
        best = np.argpartition(-(self._centroids[within] @ target), count)[:count]
        return within[best].astype(np.int64)

    def scan(self, target: Vectors, lists: Ints) -> Scanned:
        """The products of all vectors of some lists with a target."""
        first, end = self._bounds[lists], self._bounds[lists + 1]
        starts = np.cumsum(end - first) - (end - first)
        scores = np.empty(int((end - first).sum()), np.float32)
        for i, j, at in zip(first.tolist(), end.tolist(), starts.tolist(), strict=True):
            np.dot(self._vectors[i:j], target, out=scores[at : at + j - i])
        return Scanned(scores, first, starts)

    def rows(self, scanned: Scanned, chosen: Ints) -> Rows:
        """``int32[k]``: the rows of some of what was scanned."""
        block = np.searchsorted(scanned.starts, chosen, side="right") - 1
        rows: Rows = self._rows[scanned.positions[block] + chosen - scanned.starts[block]]
        return rows

    def _measured(self, vectors: Vectors, targets: Vectors) -> Ints:
        """For each depth, how many lists hold as many of the exact best as are promised."""
        count, depths = len(self._centroids), self._depths
        found = np.zeros((len(depths), len(targets), count))
        for number, target in enumerate(targets):
            place = np.empty(count, np.int64)
            place[np.argsort(-(self._centroids @ target))] = np.arange(count)
            scores = vectors @ target
            best = np.argpartition(-scores, depths[-1] - 1)[: depths[-1]]
            places = place[self.list_of[best[np.argsort(-scores[best])]]]
            for row, depth in enumerate(depths):
                found[row, number] = np.bincount(places[:depth], minlength=count) / depth
        shares = np.cumsum(found, axis=2)
        error = shares.std(axis=1) / np.sqrt(len(targets))
        missing = shares.mean(axis=1) - _SURE * error < _RECALL
        return np.asarray(np.minimum(missing.sum(axis=1) + 1, count), np.int64)
