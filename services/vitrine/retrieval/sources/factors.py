"""What is most like the latest items by the company that items keep, whether or not they ever met."""

from typing import ClassVar

from vitrine.domain.fading import MOST_ITEMS, faded
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked

# How much of an item's weight is left to the one before it.
_KEEP = 0.7


class Factors:
    """Highest product of the bundle's factors with the latest items, exactly; the context counts as the very latest."""

    name: ClassVar[str] = "factors"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        if attached is None or attached.bundle.factors is None:
            raise SourceOff("no bundle with factors is loaded: `[training] factors` above 0 makes one")
        rows, weights, _ = faded(query.recent.rows, _KEEP, MOST_ITEMS)
        if len(rows) == 0:
            return NOTHING
        scores = attached.bundle.factors.scores(attached.bundle_rows[rows], weights)
        return ranked(attached.catalog_rows, scores, query, limit)
