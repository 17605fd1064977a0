"""The services in this process: one thread of the pool makes all calls of a request, and the event loop never waits."""

import contextvars
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, cast

from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.request import Filters
from vitrine.domain.stages import Spent, current_spent, measured, spent
from vitrine.domain.subject import Subject
from vitrine.errors import Timeout
from vitrine.hosting import Remembering, RunningLeg, Waiter
from vitrine.ranking import RankingEngine, RankingQuery
from vitrine.recommendation.ports import Ports
from vitrine.retrieval import RetrievalQuery, Retriever

T = TypeVar("T")

Models = tuple[Retriever, RankingEngine]

# What a request was begun with; a call of gRPC is a task and so a context of its own.
_begun: ContextVar[Models | None] = ContextVar("begun", default=None)


class ProfileReads(Protocol):
    """What is needed of the profiles of this process; `vitrine.profile.Profiles` has it."""

    def peek(self, subject: Subject, min_watermark: int = 0, /) -> Profile | None:
        """The profile if it is in memory; it never waits."""
        ...

    def get(self, subject: Subject, min_watermark: int = 0, /) -> Profile:
        """The profile."""
        ...


class LocalServices:
    """Follows `vitrine.recommendation.ports.Services` with the domain objects of this process.

    Args:
        profiles: The profile store.
        models: Answers retriever and ranking engine of the wanted version of the bundle, or of what is served.
        waiter: Has the work done in a thread, and waits for it.
    """

    def __init__(self, profiles: ProfileReads, models: Callable[[str], Models], waiter: Waiter) -> None:
        self._profiles = profiles
        self._models = models
        self._waiter = waiter

    def begin(self, models: Models) -> None:
        """Has the request of the calling task found and ordered with these; else with what is served when it gets there."""
        _begun.set(models)

    async def together(self, work: Callable[[Ports], Coroutine[Any, Any, T]], seconds: float) -> T:
        """As `Services.together`. A request goes on with the models that it began with, however often they are switched.

        To hand a request to a thread and back costs more than reading a profile: it is done once.
        """
        # The profiles of a worker ask the context whose request it is.
        context = contextvars.copy_context()
        models = _begun.get() or self._models("")

        def go(leg: RunningLeg | Remembering) -> tuple[T, Spent]:
            # Of its own: a leg that is left behind goes on measuring.
            measures = Spent()
            current_spent.set(measures)
            calls = _Calls(self._profiles, models, leg)
            return _driven(work(Ports(calls, calls, calls, calls.moment))), measures

        def begin(leg: RunningLeg | Remembering) -> tuple[T, Spent]:
            return context.copy().run(go, leg)

        answer, measures = await self._waiter.run(begin, max(seconds, 0.0), begin)
        spent().take(measures)
        return answer


class _Calls:
    """Follows `ProfilePort`, `RetrievalPort` and `RankingPort` for one leg of a request: nothing of it ever waits."""

    def __init__(self, profiles: ProfileReads, models: Models, leg: RunningLeg | Remembering) -> None:
        self._profiles = profiles
        self._retriever, self._engine = models
        self._leg = leg
        self._ranked = False

    def moment(self) -> float:
        """As of `Ports`."""
        return time.monotonic() if self._ranked else self._leg.moment

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        """Reads a profile; an acknowledged event is always in it, because its store is this one."""
        if isinstance(self._leg, Remembering) and not self._leg.begun:
            # No thread was free all the time. What the shopper hid must not stand in for the answer all the same.
            found, stage = measured("profile", lambda: self._profiles.peek(subject, min_watermark))
            if found is not None:
                spent().report(stage)
                return found
        profile, stage = self._leg.step(
            f"profile from {min_watermark}",
            timeout,
            lambda: measured("profile", lambda: self._profiles.get(subject, min_watermark)),
        )
        spent().report(stage)
        return profile

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """Finds candidates."""
        return self._leg.step("retrieval", timeout, lambda: self._retriever.retrieve(query))

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        """Orders candidates; the catalogue and the bundle are those that retrieval used."""
        del catalog_revision, timeout
        return self._ranking(lambda leg: self._engine.rank(query, leg))

    async def explain(
        self, query: RankingQuery, item_id: str, filters: Filters, catalog_revision: int, timeout: float
    ) -> Explained:
        """Why a candidate has its place, by the same."""
        del catalog_revision, timeout
        return self._ranking(lambda leg: self._engine.explain(query, item_id, filters, leg))

    def _ranking(self, work: Callable[[RunningLeg], T]) -> T:
        """What ranking answers; it has all of the time that is left, and each plugin is watched."""
        try:
            if isinstance(self._leg, Remembering):
                raise Timeout("did not answer in its share of the deadline")
            return work(self._leg)
        finally:
            self._ranked = True


def _driven(calls: Coroutine[Any, Any, T]) -> T:
    """What comes of calls that never wait."""
    try:
        calls.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    calls.close()
    raise RuntimeError("a service of this process waited for something in a thread")
