"""What the items to start from predict."""

from typing import ClassVar

from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked


class Linear:
    """What the bundle's linear model makes of the context's items or else of the history's."""

    name: ClassVar[str] = "linear"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        if attached is None or attached.bundle.linear is None:
            raise SourceOff("no bundle with a linear model is loaded: `vitrine train` makes one")
        rows, weights = query.seeds
        if len(rows) == 0:
            return NOTHING
        rows, scores = attached.bundle.linear.neighbours(attached.bundle_rows[rows], weights)
        return ranked(rows, scores, query, limit, attached.catalog_rows)
