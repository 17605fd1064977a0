"""Intervals by bootstrap over users (Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3).

What is drawn is a user, with all queries of that user: prefixes of one visitor's sessions are no independent evidence
(the cluster bootstrap, Davison & Hinkley 1997, section 3.8). Where each query is a user of its own, that is the same as
drawing queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
# Fewer for many users, whose interval is smooth anyway: bounds the work.
_FEWEST = 2_000
_DRAWS = 40_000_000
# Numbers of a block of drawn counts: bounds the memory.
_BLOCK = 4_000_000

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries.

    Attributes:
        mean: The mean.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


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


def resampled_sums(
    sums: npt.NDArray[np.float64], seed: int, resamples: int | None = None
) -> npt.NDArray[np.float64]:
    """``float64[b, m]``: the sums of m columns over n units drawn with replacement, b times; the same draws for all.

    Args:
        sums: ``float64[n, m]``, what each unit adds.
        seed: Decides what is drawn.
        resamples: b; by default 10,000, and for more than 4,000 units fewer, down to 2,000.
    """
    n = len(sums)
    b = resamples or max(_FEWEST, min(RESAMPLES, _DRAWS // max(n, 1)))
    return np.concatenate([counts @ sums for counts in _drawn(n, b, seed)])


def intervals(
    values: Mapping[str, Values], seed: int, users: npt.NDArray[np.integer] | None = None
) -> dict[str, Interval]:
    """The means of measures with their percentile intervals, from the same draws.

    Args:
        values: ``float64[q]`` by name.
        seed: Decides which users are drawn.
        users: ``int[q]``, a number for the user of each query; ``None`` where each query is a user of its own.
    """
    if not values:
        return {}
    columns = np.stack(list(values.values()), axis=1)
    if not len(columns):
        return dict.fromkeys(values, Interval(np.nan, np.nan, np.nan))
    low, high = np.percentile(_means(columns, seed, users), [2.5, 97.5], axis=0)
    mean = columns.mean(axis=0)
    return {name: Interval(float(mean[i]), float(low[i]), float(high[i])) for i, name in enumerate(values)}


def interval(values: Values, seed: int, users: npt.NDArray[np.integer] | None = None) -> Interval:
    """The mean of one measure with its percentile interval; arguments as for `intervals`."""
    return intervals({"": values}, seed, users)[""]


def paired(
    one: Values,
    other: Values,
    seed: int,
    users: npt.NDArray[np.integer] | None = None,
) -> Difference:
    """The difference between two methods that were measured on the same queries, with its percentile interval.

    Args:
        one: ``float64[q]``, one number a query.
        other: ``float64[q]``, the same of the other method.
        seed: Decides which users are drawn.
        users: As for `intervals`.
    """
    gap = interval(one - other, seed, users)
    base = float(other.mean()) if len(other) else 0.0
    return Difference(gap.mean, gap.low, gap.high, gap.mean / base if base else np.nan)


def relative_over(
    windows: Sequence[tuple[Values, Values, Sequence[str]]], seed: int
) -> tuple[list[float], Interval]:
    """How far one method is ahead of another, as a share of the other, in each of several windows and in their mean.

    Users come back from window to window, so a user is drawn once for all of them, with all that was measured of this user
    in any (cluster bootstrap): windows are no independent evidence.

    Args:
        windows: Of each window ``float64[q]`` of the one method, of the other, and the q users.
        seed: Decides which users are drawn.

    Returns:
        The share of each window, and the mean of them with its percentile interval.
    """
    names = [user for _, _, users in windows for user in users]
    every, user = np.unique(names, return_inverse=True)
    ends = np.cumsum([len(users) for _, _, users in windows])
    columns = [
        np.bincount(mine, column, len(every))
        for mine, (one, other, _) in zip(np.split(user, ends[:-1]), windows, strict=True)
        for column in (one - other, other)
    ]
    sums = np.stack(columns, axis=1).astype(np.float64)
    whole = sums.sum(axis=0)
    shares = whole[0::2] / whole[1::2]
    drawn = resampled_sums(sums, seed)
    low, high = np.percentile((drawn[:, 0::2] / drawn[:, 1::2]).mean(axis=1), [2.5, 97.5])
    return shares.tolist(), Interval(float(shares.mean()), float(low), float(high))


def by_user(values: Values, users: npt.NDArray[np.integer]) -> Values:
    """``float64[n, m]``: columns of queries ``float64[q, m]``, summed up by user.

    Raises:
        ValueError: There are more or fewer users than queries.
    """
    if len(users) != len(values):
        raise ValueError(f"users of {len(users)} queries, but values of {len(values)}")
    _, user = np.unique(users, return_inverse=True)
    return np.stack([np.bincount(user, column) for column in values.T], axis=1)


def _means(columns: Values, seed: int, users: npt.NDArray[np.integer] | None) -> Values:
    if users is None:
        return resampled_sums(columns, seed) / len(columns)
    # Users have different numbers of queries, so the number of drawn queries is drawn, too.
    ones = np.ones((len(columns), 1))
    drawn = resampled_sums(by_user(np.hstack([columns, ones]), users), seed)
    means: Values = drawn[:, :-1] / drawn[:, -1:]
    return means


def _drawn(n: int, resamples: int, seed: int) -> Iterator[Values]:
    """Blocks of ``float64[b, n]``: how often each unit was drawn."""
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK // max(n, 1))
    for start in range(0, resamples, size):
        b = min(size, resamples - start)
        drawn = rng.integers(0, n, (b, n), np.int32) + n * np.arange(b, dtype=np.int32)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).astype(np.float64)
