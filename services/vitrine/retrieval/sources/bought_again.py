"""What the shopper bought before."""

from typing import ClassVar

import numpy as np

from vitrine.domain.profile import DAY
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, ranked

# After so long, a purchase counts half.
_HALF_AFTER = 180 * DAY
# How much an item counts that nobody else wants now, against the most popular one.
_UNWANTED = 0.1


class BoughtAgain:
    """Past purchases: the oftener, the more recent and the more in demand now, the better.

    The score is ``purchases ÷ (1 + age ÷ 180 days) × (0.1 + popularity)``. Demand matters more than the rest: it tells
    seasons, and what has had its day. Hidden items are left out.
    """

    name: ClassVar[str] = "bought_again"

    def __init__(self, popularity: Popularity) -> None:
        self._popularity = popularity

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        items = query.profile.items
        bought = ((items.purchases > 0) & (items.opinion >= 0)).nonzero()[0]
        if len(bought) == 0:
            return NOTHING
        rows = query.history[bought]
        known = rows >= 0
        bought, rows = bought[known], rows[known]
        age = np.maximum(query.time - items.last_purchase[bought], 0.0)
        # Not 2^−age: the scores of a shopper who comes back after years must not vanish.
        wish = items.purchases[bought] / (1.0 + age / _HALF_AFTER)
        return ranked(rows, wish * (_UNWANTED + self._popularity.shares(rows)), query, limit)
