"""What more shoppers want than usual."""

from typing import ClassVar

from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import Found


class Trending:
    """Items whose interest of late exceeds their usual one; the score is the share of the strongest item's."""

    name: ClassVar[str] = "trending"

    def __init__(self, popularity: Popularity) -> None:
        self._popularity = popularity

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        return Found(*self._popularity.rising(query.allowed, limit, query.time))
