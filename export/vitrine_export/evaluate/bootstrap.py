"""Intervals by bootstrap over queries (Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one method is ahead of another in the mean over queries.

    Attributes:
        mean: Difference of the means.
        low: Lower end of the 95 % interval.
        high: Upper end.
        relative: ``mean`` as a share of the other method's mean; NaN where that is 0.
    """

    mean: float
    low: float
    high: float
    relative: float


def paired(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], seed: int, resamples: int = RESAMPLES
) -> Difference:
    """The difference between two methods that were measured on the same queries, with its percentile interval.

    Args:
        one: ``float64[q]``, one number a query.
        other: ``float64[q]``, the same of the other method.
        seed: Decides which queries are drawn.
        resamples: How often to draw q queries with replacement.
    """
    gains = one - other
    n = len(gains)
    if n == 0:
        return Difference(np.nan, np.nan, np.nan, np.nan)
    rng = np.random.default_rng(seed)
    chunks = [min(_CHUNK, resamples - start) for start in range(0, resamples, _CHUNK)]
    means = np.concatenate([gains[rng.integers(0, n, (size, n))].mean(1) for size in chunks])
    low, high = np.percentile(means, [2.5, 97.5])
    base = float(other.mean())
    return Difference(
        float(gains.mean()), float(low), float(high), float(gains.mean()) / base if base else np.nan
    )
