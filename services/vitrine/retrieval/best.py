"""The best k of many, exactly and in an order that no machine changes."""

import numpy as np
import numpy.typing as npt

_STRIDE = 16
# To sort all of so many takes no more than to choose first.
_SORTED = 1024

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
    chosen: Positions | None = None
    bound = likely_bound(scores, limit)
    if bound > -np.inf:
        likely = (scores >= bound).nonzero()[0]
        chosen = likely if limit <= len(likely) < n // 2 else None
    if chosen is None and n > max(_SORTED, limit):
        chosen = _highest(scores, tie, limit, rows)
    if chosen is not None:
        theirs = chosen if rows is None else rows.take(chosen)
        return chosen.take(best(scores.take(chosen), tie, limit, theirs))
    order = scores.argsort()[::-1]
    # One more than is wanted: it may be as good as the last.
    ordered = scores.take(order[: limit + 1])
    if (ordered[1:] == ordered[:-1]).any():
        order = (scores >= ordered[:limit][-1]).nonzero()[0]
        ties = tie.take(order if rows is None else rows.take(order))
        order = order[np.lexsort((ties, -scores[order]))]
    return order[:limit]


def _highest(
    scores: npt.NDArray[np.floating],
    tie: npt.NDArray[np.uint64],
    limit: int,
    rows: npt.NDArray[np.integer] | None,
) -> Positions:
    """``int64[limit]``: as `best`, in no order, of more scores than that."""
    floor = np.partition(scores, -limit)[-limit]
    chosen: Positions = (scores >= floor).nonzero()[0]
    if len(chosen) > limit:
        level = scores.take(chosen) == floor
        above, equal = chosen[~level], chosen[level]
        ties = tie.take(equal if rows is None else rows.take(equal))
        missing = limit - len(above)
        chosen = np.concatenate((above, equal[ties.argpartition(missing - 1)[:missing]]))
    return chosen


def likely_bound(scores: npt.NDArray[np.floating], limit: int) -> float:
    """A bound that most likely somewhat more than ``limit`` scores reach; −∞ where so few gain nothing by one.

    It comes from a sample, so the caller counts; looking closer at what reaches it is far cheaper than at all.
    """
    if len(scores) <= _STRIDE // 2 * max(limit, 256):
        return -np.inf
    rank = limit // (_STRIDE // 2) + 16
    sample = scores[::_STRIDE].copy()
    sample.partition(-rank)
    return float(sample[-rank])
