"""How many inverted lists a search has to look into for the best so many: measured on targets."""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil

import numpy as np
import numpy.typing as npt

from vitrine.content.model import Vectors

Ints = npt.NDArray[np.int64]
# What a search finds of the exact best, on average, and how sure that is after so many targets, in standard errors.
# 0.98 is promised: shoppers differ from the targets, and few of these, far from the rest, make most of what is missed.
_RECALL, _SURE = 0.99, 2.33
_DEPTHS = (100, 200, 500, 1_000, 5_000, 20_000)


class ListDepths:
    """For some depths, how many of the most promising lists hold as many of the exact best as are promised.

    Args:
        places: For each of t targets ``int64[≤ n]``: of the best rows, the best first, by how many lists the list of
            each is surpassed.
        count: How many lists there are.
        size: n, how many rows they hold.
    """

    def __init__(self, places: Sequence[Ints], count: int, size: int) -> None:
        self._depths = [depth for depth in _DEPTHS if depth < size]
        found = np.zeros((len(self._depths), len(places), count))
        for number, where in enumerate(places):
            for row, depth in enumerate(self._depths):
                found[row, number] = np.bincount(where[:depth], minlength=count) / max(len(where[:depth]), 1)
        shares = np.cumsum(found, axis=2)
        error = shares.std(axis=1) / np.sqrt(len(places))
        missing = shares.mean(axis=1) - _SURE * error < _RECALL
        self._enough: list[int] = np.minimum(missing.sum(axis=1) + 1, count).tolist()
        # All of them are in all lists.
        self._depths.append(size)
        self._enough.append(count)

    def __call__(self, depth: float) -> int:
        """How many lists hold the best ``depth``; between two that were measured, on a straight line."""
        depths, enough = self._depths, self._enough
        at = bisect_right(depths, depth)
        if at == 0 or at == len(depths):
            return enough[min(at, len(depths) - 1)]
        share = (depth - depths[at - 1]) / (depths[at] - depths[at - 1])
        return ceil(enough[at - 1] + share * (enough[at] - enough[at - 1]))


def best_rows(vectors: Vectors, target: Vectors) -> Ints:
    """``int64[k]``: the rows of the highest products, the highest first; as many as depths are measured for."""
    most = max([depth for depth in _DEPTHS if depth < len(vectors)], default=len(vectors))
    scores = vectors @ target
    best = np.argpartition(-scores, most - 1)[:most]
    return best[np.argsort(-scores[best])]
