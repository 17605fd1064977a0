"""What the shopper is likely to turn to next, by the interest model."""

from typing import ClassVar

import numpy as np

from vitrine.interest import shoppers_of
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked
from vitrine.retrieval.sources.content import nearest


class Interest:
    """Highest product of item vectors with the shopper's interest, exactly; the context counts as the latest events."""

    name: ClassVar[str] = "interest"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        model = None if attached is None else attached.bundle.interest
        vectors = None if attached is None else attached.interest_vectors
        if model is None or vectors is None:
            raise SourceOff("no bundle with an interest model is loaded: `vitrine train` makes one")
        n = min(len(vectors), len(query.columns))
        vectors = vectors[:n]
        shoppers = shoppers_of(
            [query.profile], [query.context], query.time, lambda ids: query.catalog.rows(ids, n)
        )
        interest = model.encode(shoppers, vectors).interest[0]
        if not interest.any():
            return NOTHING
        rows, scores = nearest(vectors, interest, query, limit)
        # An item that the model knows nothing of has a zero vector, and so exactly this score.
        rows, scores = rows[scores != 0], scores[scores != 0]
        # Scores are logits: what counts is how far they lie apart, and a source's scores are above 0.
        return ranked(rows, np.exp(scores - scores.max(initial=-np.inf)), query, limit)
