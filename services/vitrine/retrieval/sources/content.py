"""What resembles the items to start from, or the typed words, by text."""

from typing import ClassVar

import numpy as np

from vitrine.content.model import Vectors
from vitrine.retrieval.best import best
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked

# Products of equal vectors differ in the last bits by where they stand in memory; rounded, they are equal.
_GRID = np.float32(2.0**18)


class Content:
    """Nearest content vectors, by exact dot product, to the query or else to the weighted mean of the seeds."""

    name: ClassVar[str] = "content"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        vectors = None if attached is None else attached.content
        model = None if attached is None else attached.bundle.content
        if vectors is None or model is None:
            raise SourceOff("no bundle with content vectors is loaded: `vitrine train` makes one")
        vectors = vectors[: len(query.columns)]
        if query.context.query:
            target = model.encode_text([query.context.query])[0]
        else:
            rows, weights = query.seeds
            target = (weights.astype(np.float32) @ vectors[rows]) if len(rows) else vectors[:0].sum(0)
            length = float(np.linalg.norm(target))
            target = target / length if length > 0 else target
        if not target.any():
            return NOTHING
        return _nearest(vectors, target, query, limit)


def _nearest(vectors: Vectors, target: Vectors, query: SourceQuery, limit: int) -> Found:
    """The allowed rows with the highest products. Narrow filters make it cheaper, never shorter."""
    n = len(vectors)
    allowed = query.allowed[:n]
    rows = np.flatnonzero(allowed).astype(np.int32)
    # Everything at once is quicker than picking most rows.
    scores = vectors[rows] @ target if len(rows) < n // 4 else (vectors @ target)[rows]
    if len(rows) > limit:
        # Rounded after the choice, with a margin for it: rounding all of them would cost more than the rest.
        floor = scores[best(scores, query.columns.tie[rows], limit)[-1]] - 2 / _GRID
        chosen = np.flatnonzero(scores >= floor)
        rows, scores = rows[chosen], scores[chosen]
    return ranked(rows, np.round(scores * _GRID) / _GRID, query, limit)
