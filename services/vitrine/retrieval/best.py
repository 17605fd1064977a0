"""The best k of many, exactly and in an order that no machine changes."""

import numpy as np
import numpy.typing as npt

_STRIDE = 16

Positions = npt.NDArray[np.int64]


def best(
    scores: npt.NDArray[np.floating],
    tie: npt.NDArray[np.uint64],
    limit: int,
    rows: npt.NDArray[np.integer] | None = None,
) -> Positions:
    """``int64[≤ limit]``: positions of the highest scores, best first; equal scores by ``tie``, lowest first.

    Args:
        scores: ``float[n]`` without NaN.
        tie: ``uint64[n]``, or where there are rows, ``uint64[m]`` by row: it is looked up only where scores are equal.
        limit: How many at most.
        rows: ``int[n]``, the row of each score.
    """
    n = len(scores)
    if limit <= 0 or n == 0:
        return np.empty(0, np.int64)
    bound = likely_bound(scores, limit)
    if bound > -np.inf:
        likely = (scores >= bound).nonzero()[0]
        if limit <= len(likely) < n // 2:
            return likely[best(scores[likely], tie, limit, likely if rows is None else rows[likely])]

    def ties(positions: Positions) -> npt.NDArray[np.uint64]:
        return tie[positions] if rows is None else tie.take(rows[positions])

    chosen = None
    if n > limit:
        floor = np.partition(scores, n - limit)[n - limit]
        chosen = (scores >= floor).nonzero()[0]
        if len(chosen) > limit:
            level = scores[chosen] == floor
            above, equal = chosen[~level], chosen[level]
            missing = limit - len(above)
            chosen = np.concatenate((above, equal[ties(equal).argpartition(missing - 1)[:missing]]))
        scores = scores[chosen]
    order = (-scores).argsort()
    ordered = scores[order]
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((ties(np.arange(n) if chosen is None else chosen), -scores))
    return order if chosen is None else chosen[order]


def likely_bound(scores: npt.NDArray[np.floating], limit: int) -> float:
    """A bound that most likely somewhat more than ``limit`` scores reach; −∞ where so few gain nothing by one.

    It comes from a sample, so the caller counts; looking closer at what reaches it is far cheaper than at all.
    """
    if len(scores) <= _STRIDE // 2 * max(limit, 256):
        return -np.inf
    rank = limit // (_STRIDE // 2) + 16
    return float(np.partition(scores[::_STRIDE], -rank)[-rank])
