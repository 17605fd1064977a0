"""Where candidates come from: one file a source."""

from vitrine.retrieval.sources.base import Found, Source, SourceOff
from vitrine.retrieval.sources.bought_again import BoughtAgain
from vitrine.retrieval.sources.co_visitation import CoVisitation
from vitrine.retrieval.sources.content import Content
from vitrine.retrieval.sources.factors import Factors
from vitrine.retrieval.sources.follows import Follows
from vitrine.retrieval.sources.interest import Interest
from vitrine.retrieval.sources.linear import Linear
from vitrine.retrieval.sources.new_arrivals import NewArrivals
from vitrine.retrieval.sources.popular import Popular
from vitrine.retrieval.sources.search import Search
from vitrine.retrieval.sources.seen_again import SeenAgain
from vitrine.retrieval.sources.trending import Trending
from vitrine.retrieval.sources.visits import Visits

SOURCE_NAMES = tuple(
    source.name
    for source in (
        Popular,
        Trending,
        CoVisitation,
        BoughtAgain,
        Interest,
        Content,
        NewArrivals,
        Search,
        Follows,
        Visits,
        SeenAgain,
        Linear,
        Factors,
    )
)

__all__ = [
    "SOURCE_NAMES",
    "BoughtAgain",
    "CoVisitation",
    "Content",
    "Factors",
    "Follows",
    "Found",
    "Interest",
    "Linear",
    "NewArrivals",
    "Popular",
    "Search",
    "SeenAgain",
    "Source",
    "SourceOff",
    "Trending",
    "Visits",
]
