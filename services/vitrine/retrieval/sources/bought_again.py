"""What the shopper bought before."""

from typing import ClassVar

import numpy as np

from vitrine.domain.profile import DAY
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, ranked

# How fast the wish to buy again fades.
_HALF_LIFE = 90 * DAY


class BoughtAgain:
    """Past purchases: the oftener and the more recent, the better; hidden items are left out."""

    name: ClassVar[str] = "bought_again"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        items = query.profile.items
        bought = np.flatnonzero((items.purchases > 0) & (items.opinion >= 0))
        if len(bought) == 0:
            return NOTHING
        age = np.maximum(query.time - items.last_purchase[bought], 0.0)
        # Not 2^−age: the scores of a shopper who comes back after years must not vanish.
        scores = np.log1p(items.purchases[bought]) / (1.0 + age / _HALF_LIFE)
        rows = query.catalog.rows([items.item_ids[i] for i in bought.tolist()], len(query.columns))
        return ranked(rows, scores, query, limit)
