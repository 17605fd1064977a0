"""The best k of many, exactly and in an order that no machine changes."""

import numpy as np
import numpy.typing as npt

_STRIDE = 16

Positions = npt.NDArray[np.int64]


def best(scores: npt.NDArray[np.floating], tie: npt.NDArray[np.uint64], limit: int) -> Positions:
    """``int64[≤ limit]``: positions of the highest scores, best first; equal scores by ``tie``, lowest first.

    Args:
        scores: ``float[n]`` without NaN.
        tie: ``uint64[n]``.
        limit: How many at most.
    """
    n = len(scores)
    if limit <= 0 or n == 0:
        return np.empty(0, np.int64)
    bound = likely_bound(scores, limit)
    if bound > -np.inf:
        likely = np.flatnonzero(scores >= bound)
        if limit <= len(likely) < n // 2:
            return likely[best(scores[likely], tie[likely], limit)]
    if n > limit:
        floor = np.partition(scores, n - limit)[n - limit]
        above = np.flatnonzero(scores > floor)
        level = np.flatnonzero(scores == floor)
        missing = limit - len(above)
        if len(level) > missing:
            level = level[np.argpartition(tie[level], missing - 1)[:missing]]
        chosen = np.concatenate([above, level])
    else:
        chosen = np.arange(n)
    return chosen[np.lexsort((tie[chosen], -scores[chosen]))]


def likely_bound(scores: npt.NDArray[np.floating], limit: int) -> float:
    """A bound that most likely somewhat more than ``limit`` scores reach; −∞ where so few gain nothing by one.

    It comes from a sample, so the caller counts; looking closer at what reaches it is far cheaper than at all.
    """
    if len(scores) <= _STRIDE * max(limit, 256):
        return -np.inf
    rank = limit // (_STRIDE // 2) + 16
    return float(np.partition(scores[::_STRIDE], -rank)[-rank])
