"""What resembles the items to start from, or the typed words, by text."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Mask, Rows
from vitrine.content.model import Vectors
from vitrine.retrieval.best import likely_bound
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked

# Products of equal vectors differ in the last bits by where they stand in memory; rounded, they are equal.
_GRID = np.float32(2.0**18)
_MARGIN = 2 / _GRID


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
            target = toward(vectors, *query.seeds)
        if not target.any():
            return NOTHING
        return ranked(*nearest(vectors, target, query, limit), query, limit)


def toward(vectors: Vectors, rows: Rows, weights: npt.NDArray[np.float64]) -> Vectors:
    """``float32[d]``: where some items lie together, of length 1; zeros where none has a vector."""
    target: Vectors = (weights.astype(np.float32) @ vectors[rows]) if len(rows) else vectors[:0].sum(0)
    length = float(np.linalg.norm(target))
    return target / length if length > 0 else target


def nearest(vectors: Vectors, target: Vectors, query: SourceQuery, limit: int) -> tuple[Rows, Vectors]:
    """Allowed rows, the ``limit`` with the highest products among them, and the products.

    Narrow filters make it cheaper, never shorter.
    """
    n = len(vectors)
    allowed = query.allowed[:n]
    if np.count_nonzero(allowed) <= n // 4:
        rows = np.flatnonzero(allowed)
        scores = vectors[rows] @ target
    else:
        # Everything at once is quicker than picking most rows.
        everything = vectors @ target
        rows = _contenders(everything, allowed, limit)
        scores = everything[rows]
    if len(rows) > limit:
        # Rounded after the choice, with a margin for it: rounding all of them would cost more than the rest.
        chosen = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit] - _MARGIN)
        rows, scores = rows[chosen], scores[chosen]
    return rows.astype(np.int32), np.asarray(np.round(scores * _GRID) / _GRID, np.float32)


def _contenders(scores: Vectors, allowed: Mask, limit: int) -> npt.NDArray[np.int64]:
    """Allowed rows, in order, that hold the ``limit`` best and all within the margin of them."""
    bound = likely_bound(scores, limit * len(scores) // int(np.count_nonzero(allowed)))
    # Compared first and looked up then: a pass over the scores costs less than one over the mask.
    rows = np.flatnonzero(scores >= bound - _MARGIN)
    rows = rows[allowed[rows]]
    return rows if np.count_nonzero(scores[rows] >= bound) >= limit else np.flatnonzero(allowed)
