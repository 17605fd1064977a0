"""What resembles the items to start from, or the typed words, by text."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Rows
from vitrine.content.model import Vectors
from vitrine.retrieval.nearest import nearest
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked


class Content:
    """Nearest content vectors, by dot product, to the query or else to the weighted mean of the seeds."""

    name: ClassVar[str] = "content"

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        attached = query.bundle
        # Before the vectors, which are as new as what it says of them.
        made = None if attached is None else attached.near_content.made
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
        return ranked(*nearest(vectors, target, query, limit, made), query, limit)


def toward(vectors: Vectors, rows: Rows, weights: npt.NDArray[np.float64]) -> Vectors:
    """``float32[d]``: where some items lie together, of length 1; zeros where none has a vector."""
    target: Vectors = (weights.astype(np.float32) @ vectors[rows]) if len(rows) else vectors[:0].sum(0)
    length = float(np.linalg.norm(target))
    return target / length if length > 0 else target
