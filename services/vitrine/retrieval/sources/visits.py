"""What was turned to in the past visits that are most like the one that goes on."""

from typing import ClassVar

import numpy as np

from vitrine.domain.fading import MOST_ITEMS, VISITS_KEEP, faded
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked


class Visits:
    """What the nearest past visits of the bundle hold; where no visit goes on, the shopper's latest events stand for one."""

    name: ClassVar[str] = "visits"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        if attached is None or attached.bundle.visits is None:
            raise SourceOff(
                "no bundle with past visits is loaded: `vitrine train` makes one of events in order"
            )
        recent = query.recent
        # Rows of the bundle, as the ranker has them: an item that is newer than it must not stand for the visit.
        known = np.where(recent.rows >= 0, attached.bundle_rows[recent.rows], np.int32(-1))
        rows, weights, _ = faded(known, VISITS_KEEP, MOST_ITEMS, recent.visit)
        if len(rows) == 0:
            return NOTHING
        found, scores = attached.bundle.visits.neighbours(rows, weights)
        return ranked(found, scores, query, limit, attached.catalog_rows)
