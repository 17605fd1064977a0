"""The services in this process: direct calls in the worker pool, so that the event loop never waits for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import Timeout
from vitrine.profile import Profiles
from vitrine.ranking import RankingEngine, RankingQuery
from vitrine.retrieval import RetrievalQuery, Retriever

T = TypeVar("T")


class LocalServices:
    """Follows `ProfilePort`, `RetrievalPort` and `RankingPort` with the domain objects of this process.

    Args:
        profiles: The profile store.
        retriever: Answers the retriever to use now.
        engine: Answers the ranking engine to use now.
        workers: Where the work is done.
    """

    def __init__(
        self,
        profiles: Profiles,
        retriever: Callable[[], Retriever],
        engine: Callable[[], RankingEngine],
        workers: Executor,
    ) -> None:
        self._profiles = profiles
        self._retriever = retriever
        self._engine = engine
        self._workers = workers

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        """Reads a profile; an acknowledged event is always in it, because its store is this one."""
        cached = self._profiles.peek(subject, min_watermark)
        if cached is not None:
            return cached
        return await self._run(timeout, lambda: self._profiles.get(subject, min_watermark))

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """Finds candidates."""
        return await self._run(timeout, lambda: self._retriever().retrieve(query))

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        """Orders candidates; the catalogue is the one that retrieval used."""
        del catalog_revision
        return await self._run(timeout, lambda: self._engine().rank(query))

    async def _run(self, timeout: float, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._workers, work)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Timeout("did not answer in its share of the deadline") from None
