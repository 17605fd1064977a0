"""What the front needs of the other services, whether they run beside it or elsewhere."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.request import Filters
from vitrine.domain.subject import Subject
from vitrine.ranking.query import RankingQuery
from vitrine.retrieval import RetrievalQuery

T = TypeVar("T")


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
    """The three services behind the front.

    Attributes:
        profile: Reads profiles.
        retrieval: Finds candidates.
        ranking: Orders them.
        moment: By the monotonic clock: now or, where what was asked for last had been found out before, when that was.
    """

    profile: ProfilePort
    retrieval: RetrievalPort
    ranking: RankingPort
    moment: Callable[[], float] = time.monotonic

    async def together(self, work: Callable[["Ports"], Coroutine[Any, Any, T]], seconds: float) -> T:
        """As `Services.together`: here, as they answer."""
        del seconds
        return await work(self)


class Services(Protocol):
    """Where the three services are."""

    async def together(self, work: Callable[[Ports], Coroutine[Any, Any, T]], seconds: float) -> T:
        """What comes of the calls of a request.

        Args:
            work: Makes them, one after the other; it may be begun anew, and what was answered is answered again then.
            seconds: Time that it has. Who takes longer is answered nothing more.
        """
        ...
