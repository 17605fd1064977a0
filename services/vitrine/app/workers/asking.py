"""Who of the workers is asked, and how many may wait for them."""

import asyncio
import itertools
from collections.abc import Callable, Collection

from vitrine.app.workers.admission import MOST_BYTES, MOST_CALLS, Admission
from vitrine.app.workers.calls import DOUBT_SECONDS, Call
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Answer, Ask, Given, Method
from vitrine.app.workers.pool import Pool
from vitrine.domain.clock import Clock

# How many calls may go to a second worker for a doubt alone: so many at once, and of all calls so large a share. Under
# too much load every worker seems to hang, and calls that are sent twice would double it (Dean and Barroso, "The tail
# at scale", CACM 56(2), 2013, p. 77, hedge about one in twenty).
_RIVALS, _RIVAL_SHARE = 64.0, 0.05


class Asking:
    """Spreads calls evenly over the workers of a pool. Use it in the event loop.

    Args:
        pool: The workers.
        clock: The owner's.
        revision: That of the owner's catalogue.

    Attributes:
        asked: How many calls each worker was given, by number.
    """

    def __init__(self, pool: Pool, clock: Clock, revision: Callable[[], int]) -> None:
        self.asked = dict.fromkeys(pool.restarts, 0)
        self._pool = pool
        self._clock = clock
        self._revision = revision
        self._numbers = itertools.count(1)
        # When each was given its latest call. Not how many: one that was away would get all until it has caught up.
        self._latest = dict.fromkeys(pool.restarts, 0)
        self._rivals = _RIVALS
        workers = pool.workers
        self._admission = Admission(
            MOST_CALLS * len(pool.restarts),
            MOST_BYTES,
            # What waits for one that starts is no call.
            lambda: sum([worker.unread for worker in workers.values() if worker.up]),
        )

    @property
    def waiting(self) -> int:
        """How many calls wait for an answer."""
        return self._admission.calls

    async def ask(
        self,
        method: Method,
        request: bytes,
        seconds: float | None,
        given: Given | None = None,
        began: float = 0.0,
    ) -> Answer:
        """What a worker answers.

        Raises:
            Overloaded: Too much waits for them.
            Unavailable: None is there, or those that were asked ended.
            Timeout: There was no answer in time.
        """
        self._rivals = min(_RIVALS, self._rivals + _RIVAL_SHARE)
        left = -1.0 if seconds is None else max(seconds, 0.0)
        number = next(self._numbers)
        ask = Ask(number, method, left, self._clock(), self._revision(), request, given, began)
        size = len(request) + len((given and given.packed) or b"")
        self._admission.enter(size)
        call = Call(ask, self._pick, self._pool.loop)
        try:
            call.begin()
            return await call.answer
        finally:
            call.close()
            self._admission.leave(size)

    async def ask_all(self, method: Method, request: bytes, seconds: float) -> list[Answer]:
        """What each worker that talks answers; those that fail or are late are left out.

        Raises:
            Overloaded: Too much waits for them.
            Unavailable: There is no time to ask them.
        """
        self._admission.enter(len(request))
        calls = []
        try:
            for worker in self._pool.talking():
                ask = Ask(next(self._numbers), method, max(seconds, 0.0), self._clock(), 0, request)
                call = Call(ask, lambda tried, _, only=worker: None if tried else only, self._pool.loop)  # type: ignore[misc]
                calls.append(call)
                call.begin()
            answers = await asyncio.gather(*(call.answer for call in calls), return_exceptions=True)
        finally:
            for call in calls:
                call.close()
            self._admission.leave(len(request))
        return [answer for answer in answers if isinstance(answer, Answer) and not answer.code]

    def _pick(self, tried: Collection[Handle], doubting: bool) -> Handle | None:
        """The one with the fewest calls in flight, and of those the one that was given none for the longest."""
        there = [worker for worker in self._pool.talking() if worker not in tried]
        if doubting:
            if self._rivals < 1:
                return None
            since = self._pool.loop.time() - DOUBT_SECONDS
            there = [worker for worker in there if not worker.waiting or worker.heard > since]
        if not there:
            return None
        self._rivals -= doubting
        picked = min(there, key=lambda worker: (len(worker.waiting), self._latest[worker.number]))
        self.asked[picked.number] += 1
        self._latest[picked.number] = next(self._numbers)
        return picked
