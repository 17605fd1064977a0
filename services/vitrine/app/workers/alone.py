"""Windows without workers: what is popular, new or bought before, in the order in which it was found."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NoReturn, TypeVar

from vitrine.domain.candidates import Retrieved
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import Timeout, Unavailable
from vitrine.profile import Profiles
from vitrine.retrieval import RetrievalQuery, Retriever

T = TypeVar("T")


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
        raise Unavailable("no worker is there; they are being started again")

    async def explain(self, *_: object) -> NoReturn:
        """Refuses, likewise."""
        raise Unavailable("no worker is there; they are being started again")

    async def _run(self, timeout: float, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise Timeout("did not answer in its share of the deadline") from None
