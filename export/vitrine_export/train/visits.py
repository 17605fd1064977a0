"""Past visits that serving compares the one that goes on with."""

import numpy as np

from vitrine.bundle import Visits
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.moments import Moments
from vitrine_export.train.parameters import Parameters

# The latest so many are kept: what serving holds in memory stays bounded (about 12 bytes an item of a visit).
MOST_VISITS = 1_000_000
# The latest items of a longer one.
MOST_ITEMS = 100


def fit_visits(
    interactions: Interactions, parameters: Parameters, *, most: int = MOST_VISITS
) -> Visits | None:
    """The visits with at least two items, each item once, where it came first; the latest visits last.

    Without times every shopper made one, and in the order of a hash: what of the data came late, nobody knows.

    Args:
        interactions: Events.
        parameters: Which pause ends a visit.
        most: So many visits are kept.

    Returns:
        The visits; ``None`` where events have no order, or no visit has two items.
    """
    if not interactions.ordered or not len(interactions):
        return None
    moments = Moments.of(interactions, parameters.session_gap_minutes * 60)
    visit = moments.visit[moments.moment]
    items = interactions.items[moments.order]
    n = interactions.item_count
    _, first = np.unique(visit * n + items, return_index=True)
    first.sort()
    visit, items = visit[first], items[first]
    lengths = np.bincount(visit)
    # Counted from the end of the visit.
    left = np.cumsum(lengths)[visit] - np.arange(len(visit))
    kept = (left <= MOST_ITEMS) & (lengths[visit] > 1)
    visit, items = visit[kept], items[kept]
    numbers, visit = np.unique(visit, return_inverse=True)
    if not len(numbers):
        return None
    if interactions.times is None:
        when = np.random.default_rng(0).permutation(len(numbers)).astype(np.float64)
    else:
        when = np.zeros(len(numbers))
        times = interactions.times[moments.order][first][kept]
        np.maximum.at(when, visit, times)
    rank = np.empty(len(numbers), np.int64)
    rank[np.argsort(when, kind="stable")] = np.arange(len(numbers))
    # Stable: within a visit the order stays.
    order = np.argsort(rank[visit], kind="stable")
    lengths = np.bincount(rank[visit], minlength=len(numbers))[-most:]
    items = items[order][len(order) - int(lengths.sum()) :]
    return Visits(np.concatenate(([0], np.cumsum(lengths))), items.astype(np.int32), n)
