"""Scores of each query on a scale that means the same in every query. Tables of columns are done at once."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Column32 = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]

# log(1 + place): places are small numbers.
_LOG1P = np.log1p(np.arange(4096)).astype(np.float32)


def shares(values: npt.NDArray[np.float32], offsets: Offsets) -> Column32:
    """``float32[n]``: 0 stays 0, the largest of each query becomes 1; shifted first where there are negative ones.

    NaN stays NaN; a query in which all are equal to 0 has zeros.

    Args:
        values: ``float32[n]``, or ``float32[c, n]`` for c columns; the answer has the same shape.
        offsets: ``int64[q + 1]``, query i owns values ``offsets[i]`` to ``offsets[i + 1]``.
    """
    out = np.empty(values.shape, np.float32)
    for start, end in pairwise(offsets.tolist()):
        own = values[..., start:end]
        # Both pass over NaN, at a fraction of the price of `nanmin`.
        high = np.fmax.reduce(own, axis=-1, initial=-np.inf, keepdims=True).astype(np.float64)
        low = np.minimum(np.fmin.reduce(own, axis=-1, initial=np.inf, keepdims=True), np.float32(0))
        span = high - low
        span[~(span > 0)] = 1.0
        np.divide(own - low, span.astype(np.float32), out=out[..., start:end])
    return out


def places(values: npt.NDArray[np.float32], offsets: Offsets) -> Column32:
    """``float32[n]``: log(1 + how many of the query have a higher value); equal values have equal places, NaN none.

    Arguments and shapes as for `shares`.
    """
    n, queries = values.shape[-1], len(offsets) - 1
    flat = np.asarray(values, np.float32).reshape(-1)
    out = np.full(len(flat), np.nan, np.float32)
    known = (~np.isnan(flat)).nonzero()[0]
    group = known // max(n, 1)
    if queries > 1:
        owner = np.arange(queries).repeat(np.diff(offsets))
        group = group * queries + owner.take(known % n)
    # The bits of a float, read as a number, order as the float does; above them the group: one sort for all of them.
    bits = (flat.take(known) + np.float32(0)).view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    keys = (group << 32) + bits
    order = keys.argsort()
    keys = keys.take(order)
    last = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=last[:-1])
    # So many are not higher, in each run of equal ones: those up to its end.
    ends = last.nonzero()[0] + 1
    lengths = ends.copy()
    lengths[1:] -= ends[:-1]
    counts = np.bincount(group)
    higher = counts.cumsum().repeat(counts) - ends.repeat(lengths)
    most = int(higher.max(initial=0))
    logarithms = _LOG1P if most < len(_LOG1P) else np.log1p(np.arange(most + 1)).astype(np.float32)
    out[known.take(order)] = logarithms.take(higher)
    return out.reshape(values.shape)


def spread(by_query: npt.NDArray[np.floating], offsets: Offsets) -> Column32:
    """``float32[n]``: a number of each query, at each of its candidates; of ``[c, q]`` numbers ``float32[c, n]``."""
    return by_query.astype(np.float32).repeat(np.diff(offsets), axis=-1)


def median(values: npt.NDArray[np.floating]) -> float:
    """The median of some values without NaN, as `numpy.median` has it, at a tenth of its price for few."""
    half, odd = divmod(len(values), 2)
    order = values.copy()
    order.partition(half if odd else (half - 1, half))
    if odd:
        return float(order[half])
    return float((order[half - 1] + order[half]) / values.dtype.type(2))
