"""Brings the scores of rankers and sources to one scale and adds them up."""

import numpy as np
import numpy.typing as npt

_MOST = float(np.finfo(np.float32).max)
# By a power of 2, so that nothing is rounded; relative distances are all that counts.
_QUARTER = np.float32(0.25)
_ZERO = np.float32(0)


def normalise(
    scores: npt.NDArray[np.float32], rows: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.float32]:
    """Each column on the scale 0 to 1 within one query.

    Zero stays zero and the largest score becomes 1, so that relative distances survive; columns that reach below
    zero are shifted first. NaN ("nothing to say") counts as 0.

    Args:
        scores: ``float32[n, c]`` of one query.
        rows: ``int64[m]``, whose are wanted; ``None`` for all.

    Returns:
        ``float32[m, c]``, in one piece by rows.
    """
    wanted = np.ascontiguousarray(scores) if rows is None else scores.take(rows, axis=0)
    if len(wanted) == 0:
        return wanted
    # A column in one piece is reduced far quicker; `fmax` and `fmin` pass over NaN.
    columns = np.ascontiguousarray(scores.T)
    high = np.fmax.reduce(columns, axis=1, initial=-np.inf)
    low = np.minimum(np.fmin.reduce(columns, axis=1, initial=np.inf), 0)
    if len(low) and max(high.tolist()) - min(low.tolist()) > _MOST:
        # The distance between such scores is no float32; what is infinite counts as the largest one.
        return normalise(scores.clip(-_MOST, _MOST) * _QUARTER, rows)
    span = high - low
    # What tells nothing apart is divided by infinity: 0.
    span[~(span > 0)] = np.inf
    scaled: npt.NDArray[np.float32] = np.fmax((wanted - low) / span, _ZERO)
    return scaled


def spread(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``float32[n]``: scores of any range brought to 0.01 to 1, in the same order; NaN becomes 0 and so comes last."""
    low, high = np.fmin.reduce(scores, initial=np.inf), np.fmax.reduce(scores, initial=-np.inf)
    if high < low:
        return np.zeros(len(scores), np.float32)
    if float(high) - float(low) > _MOST:
        return spread(scores.clip(-_MOST, _MOST) * _QUARTER)
    rising = 0.01 + 0.99 * (scores - low) / (high - low) if high > low else scores - low + 1
    scaled: npt.NDArray[np.float32] = np.fmax(rising, _ZERO)
    return scaled


def order(scores: npt.NDArray[np.float32], ties: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Positions by falling score; equal scores by the hash of seed and item, the same in every process."""
    return np.lexsort((ties, -scores)).astype(np.int64)
