"""Scores of each query on a scale that means the same in every query."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Column32 = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]


def shares(values: npt.NDArray[np.floating], offsets: Offsets) -> Column32:
    """``float32[n]``: 0 stays 0, the largest of each query becomes 1; shifted first where there are negative ones.

    NaN stays NaN; a query in which all are equal to 0 has zeros.
    """
    out = np.full(len(values), np.nan, np.float32)
    for start, end in _bounds(offsets):
        own = values[start:end]
        # Both pass over NaN, at a fraction of the price of `nanmin`.
        high = float(np.fmax.reduce(own, initial=-np.inf))
        if high == -np.inf:
            continue
        low = min(float(np.fmin.reduce(own, initial=np.inf)), 0.0)
        span = high - low
        out[start:end] = (own - low) / (span if span > 0 else 1.0)
    return out


def places(values: npt.NDArray[np.floating], offsets: Offsets) -> Column32:
    """``float32[n]``: log(1 + how many of the query have a higher value); equal values have equal places, NaN none."""
    out = np.full(len(values), np.nan, np.float32)
    for start, end in _bounds(offsets):
        own = values[start:end]
        known = np.flatnonzero(~np.isnan(own))
        ordered = np.sort(own[known])
        higher = len(known) - np.searchsorted(ordered, own[known], "right")
        out[start + known] = np.log1p(higher)
    return out


def spread(by_query: npt.NDArray[np.floating], offsets: Offsets) -> Column32:
    """``float32[n]``: a number of each query, at each of its candidates."""
    return np.repeat(by_query, np.diff(offsets)).astype(np.float32)


def _bounds(offsets: Offsets) -> list[tuple[int, int]]:
    return list(pairwise(offsets.tolist()))
