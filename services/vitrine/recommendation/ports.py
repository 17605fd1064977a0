"""What the front needs of the other services, whether they run beside it or elsewhere."""

from dataclasses import dataclass
from typing import Protocol

from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.request import Filters
from vitrine.domain.subject import Subject
from vitrine.ranking.query import RankingQuery
from vitrine.retrieval import RetrievalQuery


class ProfilePort(Protocol):
    """Reads profiles."""

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        """The profile, at least as fresh as the watermark; ``timeout`` in seconds.

        Raises:
            NotReady: The watermark was not reached in time.
            Unavailable: The service cannot be reached.
            Timeout: It did not answer in time.
        """
        ...


class RetrievalPort(Protocol):
    """Finds candidates."""

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """The candidates. Raises as `ProfilePort.get` does."""
        ...


class RankingPort(Protocol):
    """Orders candidates, and tells why."""

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        """The lists, from a catalogue at least of that revision where it can be had. Raises likewise."""
        ...

    async def explain(
        self, query: RankingQuery, item_id: str, filters: Filters, catalog_revision: int, timeout: float
    ) -> Explained:
        """Why one of the candidates of a single query has its place; raises likewise."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The three services behind the front."""

    profile: ProfilePort
    retrieval: RetrievalPort
    ranking: RankingPort
