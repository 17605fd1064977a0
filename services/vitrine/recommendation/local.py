"""The services in this process: direct calls in the worker pool, so that the event loop never waits for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import ContextVar
from typing import Protocol, TypeVar

from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.request import Filters
from vitrine.domain.stages import measured, spent
from vitrine.domain.subject import Subject
from vitrine.errors import Timeout
from vitrine.hosting import Waiter
from vitrine.ranking import RankingEngine, RankingQuery
from vitrine.retrieval import RetrievalQuery, Retriever

T = TypeVar("T")

Models = tuple[Retriever, RankingEngine]

# What a request was begun with. It is ordered with the same, however often bundles are switched meanwhile; a call of
# gRPC is a task and so a context of its own.
_begun: ContextVar[Models | None] = ContextVar("begun", default=None)


class ProfileReads(Protocol):
    """What is needed of the profiles of this process; `vitrine.profile.Profiles` has it."""

    def peek(self, subject: Subject, min_watermark: int = 0, /) -> Profile | None:
        """The profile if it is in memory; called in the task of the request."""
        ...

    def get(self, subject: Subject, min_watermark: int = 0, /) -> Profile:
        """The profile."""
        ...


class LocalServices:
    """Follows `ProfilePort`, `RetrievalPort` and `RankingPort` with the domain objects of this process.

    Args:
        profiles: The profile store.
        models: Answers retriever and ranking engine of the wanted version of the bundle, or of what is served.
        workers: Where the work is done.
        waiter: Waits for what calls plugins, in the same threads.
    """

    def __init__(
        self,
        profiles: ProfileReads,
        models: Callable[[str], Models],
        workers: Executor,
        waiter: Waiter,
    ) -> None:
        self._profiles = profiles
        self._models = models
        self._workers = workers
        self._waiter = waiter

    def begin(self, models: Models) -> None:
        """Has the request of the calling task found and ordered with these; else with what is served when it gets there."""
        _begun.set(models)

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        """Reads a profile; an acknowledged event is always in it, because its store is this one."""
        found, stage = measured("profile", lambda: self._profiles.peek(subject, min_watermark))
        spent().report(stage)
        if found is not None:
            return found
        profile, stage = await self._run(
            timeout, lambda: measured("profile", lambda: self._profiles.get(subject, min_watermark))
        )
        spent().report(stage)
        return profile

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """Finds candidates."""
        models = _begun.get() or self._models(query.bundle)
        _begun.set(models)
        return await self._run(timeout, lambda: models[0].retrieve(query))

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        """Orders candidates; the catalogue and the bundle are those that retrieval used."""
        del catalog_revision
        _, engine = _begun.get() or self._models(query.bundle)
        return await self._waiter.run(lambda leg: engine.rank(query, leg), timeout)

    async def explain(
        self, query: RankingQuery, item_id: str, filters: Filters, catalog_revision: int, timeout: float
    ) -> Explained:
        """Why a candidate has its place, by the same."""
        del catalog_revision
        _, engine = _begun.get() or self._models(query.bundle)
        return await self._waiter.run(lambda leg: engine.explain(query, item_id, filters, leg), timeout)

    async def _run(self, timeout: float, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._workers, work)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Timeout("did not answer in its share of the deadline") from None
