"""What many shoppers want."""

from typing import ClassVar

from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import Found


class Popular:
    """Items by interest of all shoppers, decayed; the score is the share of the most popular item's."""

    name: ClassVar[str] = "popular"

    def __init__(self, popularity: Popularity) -> None:
        self._popularity = popularity

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        return Found(*self._popularity.popular(query.allowed, limit))
