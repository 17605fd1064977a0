"""What resembles the items to start from, or the typed words, by text."""

from typing import ClassVar

from vitrine.retrieval.nearest import nearest
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ordered


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
        target = model.encode_text([query.context.query])[0] if query.context.query else query.direction
        if target is None or not target.any():
            return NOTHING
        rows, scores = nearest(vectors, target, query, limit, made)
        some = scores > 0
        return ordered(rows[some], scores[some], query, limit)
