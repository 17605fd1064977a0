"""What the shopper is likely to turn to next, by the interest model."""

from typing import ClassVar

import numpy as np

from vitrine.retrieval.nearest import nearest
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ordered


class Interest:
    """Highest product of item vectors with the shopper's interest; the context counts as the latest events."""

    name: ClassVar[str] = "interest"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        # Before the vectors, which are as new as what it says of them.
        made = None if attached is None else attached.near_interest.made
        vectors = None if attached is None else attached.interest_vectors
        found = query.interests
        if vectors is None or found is None:
            raise SourceOff("no bundle with an interest model is loaded: `vitrine train` makes one")
        vectors = vectors[: len(query.columns)]
        interest = found.interest[0]
        if not interest.any():
            return NOTHING
        rows, scores = nearest(vectors, interest, query, limit, made)
        # An item that the model knows nothing of has a zero vector, and so exactly this score.
        known = scores != 0
        rows, scores = rows[known], scores[known]
        # Scores are logits: what counts is how far they lie apart, and a source's scores are above 0.
        shares = np.exp(scores - scores.max(initial=-np.inf))
        some = shares > 0
        return ordered(rows[some], shares[some], query, limit)
