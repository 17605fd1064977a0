"""Scores of each query on a scale that means the same in every query. Tables of columns are done at once."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vitrine.domain.parts import sizes_of

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
        high = np.fmax.reduce(own, axis=-1, initial=-np.inf, keepdims=True)
        low = np.fmin.reduce(own, axis=-1, initial=0, keepdims=True)
        span = np.subtract(high, low, dtype=np.float64)
        span[~(span > 0)] = 1.0
        np.divide(own - low, span.astype(np.float32), out=out[..., start:end])
    return out


def places(values: npt.NDArray[np.float32], offsets: Offsets) -> Column32:
    """``float32[n]``: log(1 + how many of the query have a higher value); equal values have equal places, NaN none.

    Arguments and shapes as for `shares`.
    """
    columns, n = values.size // max(values.shape[-1], 1), values.shape[-1]
    flat = np.asarray(values, np.float32).reshape(-1)
    out = np.full(len(flat), np.nan, np.float32)
    known = (~np.isnan(flat)).nonzero()[0]
    # The values of a query in a column are a group; they stand together, and so many of each are known.
    counts = known.searchsorted((np.arange(columns)[:, None] * n + offsets[1:]).reshape(-1))
    ends = counts.copy()
    counts[1:] -= ends[:-1]
    # The bits of a float, read as a number, order as the float does; above them the group: one sort for all of them.
    bits = (flat.take(known) + np.float32(0)).view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    keys = (np.arange(len(counts)) << 32).repeat(counts)
    keys += bits
    order = keys.argsort()
    keys = keys.take(order)
    last = np.empty(len(keys), np.bool_)
    last[-1:] = True
    np.not_equal(keys[1:], keys[:-1], out=last[:-1])
    # So many are not higher, in each run of equal ones: those up to its end.
    stops = last.nonzero()[0]
    stops += 1
    lengths = stops.copy()
    lengths[1:] -= stops[:-1]
    higher = ends.repeat(counts)
    higher -= stops.repeat(lengths)
    most = int(counts.max(initial=0))
    logarithms = _LOG1P if most <= len(_LOG1P) else np.log1p(np.arange(most)).astype(np.float32)
    out[known.take(order)] = logarithms.take(higher)
    return out.reshape(values.shape)


def spread(by_query: npt.NDArray[np.floating], offsets: Offsets) -> Column32:
    """``float32[n]``: a number of each query, at each of its candidates; of ``[c, q]`` numbers ``float32[c, n]``."""
    return by_query.astype(np.float32).repeat(sizes_of(offsets), axis=-1)


def median(values: npt.NDArray[np.floating]) -> float:
    """The median of some values without NaN, as `numpy.median` has it, at a tenth of its price for few."""
    half, odd = divmod(len(values), 2)
    order = values.copy()
    order.partition(half if odd else (half - 1, half))
    if odd:
        return float(order[half])
    return float((order[half - 1] + order[half]) / values.dtype.type(2))
