"""One call on its way to a worker, and to another where the first ends or falls silent."""

import asyncio
from collections.abc import Callable, Collection

import msgspec

from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Answer, Ask
from vitrine.errors import Timeout, Unavailable

# A worker that has a call for so long, and has said nothing at all for as long, is doubted: one that is only busy answers
# other calls meanwhile. The call goes to a second one too, and the first to answer counts.
DOUBT_SECONDS = 0.2
# To so many workers at most.
_TRIES = 2

# Answers who to ask next, other than some; ``None`` when nobody is there. Told whether that is for a doubt alone: then
# it must be somebody who is heard or has nothing to do. Where all are silent they are busy, and asking twice would make
# that worse.
Pick = Callable[[Collection[Handle], bool], Handle | None]


class Call:
    """One call. Use it in the event loop.

    Args:
        ask: What to ask.
        pick: Whom.
        loop: The event loop.

    Attributes:
        answer: Done when there is one; fails with `Unavailable` or `Timeout`.
    """

    def __init__(self, ask: Ask, pick: Pick, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: asyncio.Future[Answer] = loop.create_future()
        self._ask = ask
        self._pick = pick
        self._loop = loop
        began = loop.time()
        self._doubt = began + DOUBT_SECONDS
        self._until = began + ask.seconds if ask.seconds >= 0 else float("inf")
        self._tried: list[Handle] = []
        self._asked: list[Handle] = []
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Asks the first worker.

        Raises:
            Unavailable: None is there.
        """
        if not self._try():
            raise Unavailable("no worker is there to answer; they are being started again")
        self._timer = self._loop.call_at(min(self._doubt, self._until), self._look)

    def answered(self, answer: Answer) -> None:
        """See `Waits`."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def lost(self, worker: Handle) -> None:
        """See `Waits`."""
        self._asked.remove(worker)
        if not self.answer.done() and not self._asked and not self._try():
            self.answer.set_exception(Unavailable("the worker that was to answer has ended"))

    def close(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
        for worker in self._asked:
            worker.forget(self._ask.number)

    def _try(self, *, doubting: bool = False) -> bool:
        """Asks another worker, if there is one, and time."""
        now = self._loop.time()
        if len(self._tried) >= _TRIES or now >= self._until:
            return False
        worker = self._pick(self._tried, doubting)
        if worker is None:
            return False
        if self._tried and self._ask.seconds >= 0:
            self._ask = msgspec.structs.replace(self._ask, seconds=self._until - now)
        self._tried.append(worker)
        self._asked.append(worker)
        worker.ask(self._ask, self)
        return True

    def _look(self) -> None:
        """Whether its time is over, or its worker silent."""
        now = self._loop.time()
        if self.answer.done():
            return
        if now >= self._until:
            self.answer.set_exception(Timeout("did not answer in its share of the deadline"))
            return
        if all(now - worker.heard >= DOUBT_SECONDS for worker in self._asked):
            self._try(doubting=True)
        self._timer = self._loop.call_at(min(now + DOUBT_SECONDS, self._until), self._look)
