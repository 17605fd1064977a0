"""What others turned to soon after what the shopper turned to last."""

from typing import ClassVar

import numpy as np

from vitrine.domain.fading import FOLLOWS_KEEP, MOST_ITEMS, faded
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked


class Follows:
    """What follows the latest items, by the bundle's sequential rules; the context counts as the very latest."""

    name: ClassVar[str] = "follows"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        if attached is None or attached.bundle.follows is None:
            raise SourceOff(
                "no bundle that knows what follows what is loaded: `vitrine train` makes one of events in order"
            )
        recent = query.recent.rows
        # Rows of the bundle, as the ranker has them: an item that is newer than it takes no other one's place.
        known = np.where(recent >= 0, attached.bundle_rows[recent], np.int32(-1))
        rows, weights, _ = faded(known, FOLLOWS_KEEP, MOST_ITEMS)
        if len(rows) == 0:
            return NOTHING
        found, scores = attached.bundle.follows.neighbours(rows, weights)
        return ranked(found, scores, query, limit, attached.catalog_rows)
