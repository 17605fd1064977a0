"""What matches the typed words."""

from typing import ClassVar

from vitrine.catalog.text_index import TextIndex
from vitrine.domain.answer import DegradationCode
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import Found, SourceOff, ranked


class Search:
    """Items with the words of the query, by BM25: all of the words or, when no item has them all, any."""

    name: ClassVar[str] = "search"

    def __init__(self, index: TextIndex) -> None:
        self._index = index

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        if not query.context.query.strip():
            raise SourceOff("context.query is empty; set it to what the shopper typed")
        rows, scores, _ = self._index.search(query.context.query, query.allowed)
        if len(rows) == 0:
            raise SourceOff(
                "no item matches context.query; show another scene, or ask with fewer or other words",
                DegradationCode.EMPTY,
            )
        return ranked(rows, scores, query, limit)
