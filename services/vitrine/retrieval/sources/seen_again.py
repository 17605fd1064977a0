"""What the shopper met lately: many go back to it, and it needs no model."""

from typing import ClassVar

import numpy as np

from vitrine.domain.fading import faded
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import Found, ranked

_KEEP = 0.9


class SeenAgain:
    """The items of the latest events and of the context, the latest first, each once."""

    name: ClassVar[str] = "seen_again"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        rows, weights, _ = faded(query.recent.rows, _KEEP, max(limit, 1))
        return ranked(rows, weights.astype(np.float32), query, limit)
