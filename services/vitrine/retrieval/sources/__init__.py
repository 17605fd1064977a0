"""Where candidates come from: one file a source."""

from vitrine.retrieval.sources.base import Found, Source, SourceOff
from vitrine.retrieval.sources.bought_again import BoughtAgain
from vitrine.retrieval.sources.co_visitation import CoVisitation
from vitrine.retrieval.sources.content import Content
from vitrine.retrieval.sources.new_arrivals import NewArrivals
from vitrine.retrieval.sources.popular import Popular
from vitrine.retrieval.sources.search import Search
from vitrine.retrieval.sources.trending import Trending

__all__ = [
    "BoughtAgain",
    "CoVisitation",
    "Content",
    "Found",
    "NewArrivals",
    "Popular",
    "Search",
    "Source",
    "SourceOff",
    "Trending",
]
