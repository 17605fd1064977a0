"""An index of vectors for highest products: inverted lists, of which a search looks into the most promising.

Inverted file with whole vectors in place of codes (Jégou, Douze & Schmid, IEEE TPAMI 33(1), 2011, section IV;
"IVF-Flat" in faiss). A list is one block of memory, so looking through it is one product in BLAS.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle.kmeans import centroids_of, nearest_centroids
from vitrine.bundle.list_depths import Ints, ListDepths, best_rows
from vitrine.content.model import Vectors

Rows = npt.NDArray[np.int32]
# What share of the vectors the list of the longest may hold; the one that searches take least with is taken. More of them
# would leave too little for the others to find.
_LONGEST = (0.0, 1 / 64, 1 / 32, 1 / 16, 1 / 12)
# That is weighed for so many wanted rows; a list more costs as much as so many rows more.
_WANTED, _A_LIST = 200, 16
# Of the longest so large a part of the share has to be allowed that is allowed of all, or they do not stand for them.
_FAIR = 0.9


class Scanned(NamedTuple):
    """Products of what was looked at.

    Attributes:
        scores: ``float32[m]``.
        shifts: ``int64[k]``, for each of k blocks of them how much later its rows stand than it does.
        starts: ``int64[k]``, where each begins.
    """

    scores: Vectors
    shifts: Ints
    starts: Ints


class InvertedLists:
    """n vectors, those of each of l groups together. Immutable; any thread may search.

    The last list is of the longest vectors, wherever they lie, and is looked into first: where lengths differ, as those of
    the items that many want do, they are near to everybody. It is empty where that makes no search shorter.

    Args:
        vectors: ``float32[n, d]``.
        targets: ``float32[t, d]``, like those that will be searched for; they tell how many lists that takes.

    Attributes:
        list_of: ``int16[n]``, the list of each row.
    """

    def __init__(self, vectors: Vectors, targets: Vectors) -> None:
        self._centroids = centroids_of(vectors, 1 << int(np.ceil(np.log2(len(vectors)) / 2)))
        near = nearest_centroids(vectors, self._centroids)
        order = np.argsort(-(targets @ self._centroids.T), axis=1)
        places = np.argsort(order, axis=1)
        best = [best_rows(vectors, target) for target in targets]
        longest = np.argsort(-np.einsum("ij,ij->i", vectors, vectors), kind="stable")
        tried = (_split(near, longest[: int(share * len(vectors))], places, best) for share in _LONGEST)
        self.list_of, self._enough, self._rest, _ = min(tried, key=lambda split: split.cost)
        self._rows: Rows = np.argsort(self.list_of, kind="stable").astype(np.int32)
        sizes = self.counts(np.arange(len(vectors)))
        self._longest = int(sizes[-1])
        self._ends: Ints = np.cumsum(sizes)
        self._sizes = sizes
        self._vectors = vectors[self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def counts(self, rows: npt.NDArray[np.integer]) -> Ints:
        """``int64[l]``: how many of some rows each list holds."""
        return np.bincount(self.list_of[rows], minlength=len(self._centroids) + 1)

    def enough(self, limit: int, allowed: int, longest: int) -> int:
        """How many lists hold the best ``limit`` of what is allowed.

        Args:
            limit: How many are wanted.
            allowed: How many rows are allowed.
            longest: How many of them the last list holds.
        """
        if longest * len(self) >= _FAIR * allowed * self._longest:
            return self._enough(limit * len(self) / max(allowed, 1))
        # The longest are out: what the others hold has to be found without them.
        others = len(self) - self._longest
        return 1 + self._rest(limit * others / max(allowed - longest, 1))

    def promising(self, target: Vectors, count: int, within: Ints) -> Ints:
        """``int64[≤ count]``: of the lists ``within``, those that lie best, in no order."""
        if count >= len(within):
            return within
        far = np.empty(len(self._centroids) + 1, np.float32)
        np.dot(self._centroids, -target, out=far[:-1])
        far[-1] = -np.inf
        best: Ints = within.take(far.take(within).argpartition(count)[:count])
        return best

    def scan(self, target: Vectors, lists: Ints) -> Scanned:
        """The products of all vectors of some lists with a target."""
        sizes = self._sizes.take(lists)
        first, starts = self._ends.take(lists) - sizes, sizes.cumsum() - sizes
        vectors, dot, scores = self._vectors, np.dot, np.empty(int(sizes.sum()), np.float32)
        at = 0
        for i, size in zip(first.tolist(), sizes.tolist(), strict=True):
            dot(vectors[i : i + size], target, out=scores[at : at + size])
            at += size
        return Scanned(scores, first - starts, starts)

    def rows(self, scanned: Scanned, chosen: Ints) -> Rows:
        """``int32[k]``: the rows of some of what was scanned."""
        block = scanned.starts.searchsorted(chosen, side="right") - 1
        rows: Rows = self._rows.take(scanned.shifts.take(block) + chosen)
        return rows


class _Split(NamedTuple):
    """A way to split rows into lists: ``int16[n]``, how many hold the best, with the longest and without, and the cost."""

    list_of: npt.NDArray[np.int16]
    enough: ListDepths
    rest: ListDepths
    cost: float


def _split(near: npt.NDArray[np.int16], longest: Ints, places: Ints, best: list[Ints]) -> _Split:
    """The rows by centroid, but for the longest.

    Args:
        near: ``int16[n]``, the nearest centroid of each row.
        longest: ``int64[h]``, rows.
        places: ``int64[t, l]``: by how many centroids each is surpassed.
        best: For each of t targets the best rows, the best first.
    """
    count, size = places.shape[1], len(near)
    list_of = near.copy()
    list_of[longest] = count
    if len(longest):
        order = np.pad(places + 1, ((0, 0), (0, 1)))
    else:
        order = np.pad(places, ((0, 0), (0, 1)), constant_values=count)
    where = [order[number, list_of[rows]] for number, rows in enumerate(best)]
    enough = rest = ListDepths(where, count + 1, size)
    if len(longest):
        rest = ListDepths([w[w > 0] - 1 for w in where], count, size - len(longest))
    lists = enough(_WANTED)
    looked = np.bincount(list_of, minlength=count + 1) @ (order < lists).mean(axis=0)
    return _Split(list_of, enough, rest, float(looked) + _A_LIST * lists)
