"""What other shoppers took together with the items to start from."""

from typing import ClassVar

from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked


class CoVisitation:
    """Neighbours, by the bundle's co-visitation matrix, of the context's items or else of the history's."""

    name: ClassVar[str] = "co_visitation"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        if attached is None or attached.bundle.co_visitation is None:
            raise SourceOff("no bundle with co-visitation is loaded: `vitrine train` makes one")
        rows, weights = query.seeds
        if len(rows) == 0:
            return NOTHING
        rows, scores = attached.bundle.co_visitation.neighbours(attached.bundle_rows[rows], weights)
        return ranked(rows, scores, query, limit, attached.catalog_rows)
