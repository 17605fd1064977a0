"""Windows without workers: what is popular, new or bought before, in the order in which it was found."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import ContextVar
from typing import NoReturn, TypeVar

from vitrine.domain.candidates import Retrieved
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import Timeout, Unavailable, VitrineError
from vitrine.profile import Profiles
from vitrine.retrieval import RetrievalQuery, Retriever

T = TypeVar("T")

# Why the request of the calling task is answered without workers.
_why: ContextVar[VitrineError | None] = ContextVar("why", default=None)


def because(error: VitrineError) -> None:
    """The request of the calling task is answered without workers for that."""
    _why.set(error)


class Alone:
    """Follows `ProfilePort`, `RetrievalPort` and `RankingPort` in an owner: no models, and nobody who ranks.

    Args:
        profiles: The profile store.
        retriever: Answers what finds candidates without models.
        threads: Where the work is done.
    """

    def __init__(self, profiles: Profiles, retriever: Callable[[str], Retriever], threads: Executor) -> None:
        self._profiles = profiles
        self._retriever = retriever
        self._threads = threads

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        """Reads a profile."""
        found = self._profiles.peek(subject, min_watermark)
        if found is not None:
            return found
        return await self._run(timeout, lambda: self._profiles.get(subject, min_watermark))

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """Finds candidates."""
        return await self._run(timeout, lambda: self._retriever("").retrieve(query))

    async def rank(self, *_: object) -> NoReturn:
        """Refuses: this is what workers do."""
        raise _why.get() or Unavailable("no worker is there")

    async def explain(self, *_: object) -> NoReturn:
        """Refuses, likewise."""
        await self.rank()

    async def _run(self, timeout: float, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Timeout("did not answer in its share of the deadline") from None
