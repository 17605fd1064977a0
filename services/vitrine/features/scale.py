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
    table = np.atleast_2d(values)
    n, queries = table.shape[1], len(offsets) - 1
    flat = np.asarray(table, np.float32).ravel()
    out = np.full(flat.shape, np.nan, np.float32)
    known = np.flatnonzero(~np.isnan(flat))
    if queries == 1:
        group = known // n
    else:
        owner = np.repeat(np.arange(queries), np.diff(offsets))
        group = known // n * queries + owner[known % n]
    # The bits of a float, read as a number, order as the float does; above them the group: one sort for all of them.
    bits = (flat[known] + np.float32(0)).view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    keys = (group << 32) + bits
    order = keys.argsort()
    keys = keys[order]
    last = np.empty(len(keys), np.bool_)
    last[-1:] = True
    np.not_equal(keys[1:], keys[:-1], out=last[:-1])
    ends = np.flatnonzero(last) + 1
    up_to_it = np.repeat(ends, np.diff(ends, prepend=0))
    group_ends = np.bincount(group, minlength=len(table) * queries).cumsum()
    higher = group_ends[group[order]] - up_to_it
    most = int(higher.max(initial=0))
    logarithms = _LOG1P if most < len(_LOG1P) else np.log1p(np.arange(most + 1)).astype(np.float32)
    out[known[order]] = logarithms[higher]
    return out.reshape(values.shape)


def spread(by_query: npt.NDArray[np.floating], offsets: Offsets) -> Column32:
    """``float32[n]``: a number of each query, at each of its candidates; of ``[c, q]`` numbers ``float32[c, n]``."""
    return by_query.astype(np.float32).repeat(np.diff(offsets), axis=-1)


def median(values: npt.NDArray[np.floating]) -> float:
    """The median of some values without NaN, as `numpy.median` has it, at a tenth of its price for few."""
    half, odd = divmod(len(values), 2)
    if odd:
        return float(np.partition(values, half)[half])
    low, high = np.partition(values, (half - 1, half))[half - 1 : half + 1]
    return float((low + high) / values.dtype.type(2))
