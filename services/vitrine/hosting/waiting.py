"""Works on a request in a thread, and sees to it that no plugin keeps it beyond its budget."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, cast

from vitrine.errors import Timeout
from vitrine.hosting.run import Leg, Run, RunningLeg, Superseded

log = logging.getLogger(__name__)

T = TypeVar("T")

# How often to look whether a plugin has begun to run late: no call is noticed later than this.
LOOK_SECONDS = 0.01


class Threads(Protocol):
    """Where the work is done; `vitrine.hosting.workers.Workers` has them."""

    def run(self, task: Callable[[], None], /) -> object:
        """Has it done in a thread, soon."""
        ...

    def give_up(self, thread: int, /) -> None:
        """Takes another thread for one that hangs; that one ends when it comes back."""
        ...


class Waiter:
    """Waits for work that calls plugins. The work is handed to a thread once, and again only behind one that hangs.

    Args:
        threads: Where the work is done.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    async def run(self, work: Callable[[Leg], T], seconds: float | None) -> T:
        """What the work answers.

        Args:
            work: Is given how to call plugins. It may be called again, in another thread, and must then do the same.
            seconds: Time that it has; ``None`` for any.

        Raises:
            Timeout: It took longer.
        """
        watch = _Watch(asyncio.get_running_loop(), self._threads, work, seconds)
        watch.begin()
        try:
            return await watch.answer
        except BaseException:
            watch.forget()
            raise
        finally:
            watch.run.close()


class _Watch(Generic[T]):
    """One request: goes on looking after its thread even when nobody waits for the answer any more."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        threads: Threads,
        work: Callable[[Leg], T],
        seconds: float | None,
    ) -> None:
        self.answer: asyncio.Future[T] = loop.create_future()
        self.run = Run(math.inf if seconds is None else time.monotonic() + seconds)
        self._loop = loop
        self._threads = threads
        self._work = work
        self._leg: RunningLeg | None = None
        self._timer: asyncio.TimerHandle | None = None

    def forget(self) -> None:
        """Lets go of an error that was the answer.

        It holds the frames that it went through, and these this: together they would keep the models of a request that
        failed until the collector comes.
        """
        self.answer = self._loop.create_future()
        self.answer.cancel()

    def begin(self) -> None:
        """Hands the work to a thread."""
        leg = self._leg = self.run.leg()
        self._threads.run(lambda: self._go(leg))
        self._look_in(LOOK_SECONDS)

    def _go(self, leg: RunningLeg) -> None:
        """In the thread."""
        leg.thread = threading.get_ident()
        value: T | None = None
        failure: BaseException | None = None
        try:
            value = self._work(leg)
        except Superseded:
            # Another leg answers, or nobody asks any more.
            if leg is not self._leg:
                return
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            failure = error
        finally:
            leg.settle()
        try:
            self._loop.call_soon_threadsafe(self._end, leg, value, failure)
        except RuntimeError:
            log.debug("an answer came after the server had stopped")
        # Its frames hold this one.
        failure = None

    def _end(self, leg: RunningLeg, value: T | None, failure: BaseException | None) -> None:
        """In the event loop: the thread has come to the end."""
        if leg is not self._leg:
            return
        if self._timer is not None:
            self._timer.cancel()
        if self.answer.done():
            return
        if failure is None:
            self.answer.set_result(cast("T", value))
        else:
            self.answer.set_exception(failure)

    def _look_in(self, seconds: float) -> None:
        """One timer for both: a plugin that is late, and a request whose time is over."""
        left = math.inf if self.answer.done() else self.run.deadline - time.monotonic()
        self._timer = self._loop.call_later(max(min(seconds, left), 0.0), self._look)

    def _look(self) -> None:
        """In the event loop."""
        due, now = self.run.due(), time.monotonic()
        if now >= self.run.deadline and not self.answer.done():
            self.answer.set_exception(Timeout("did not answer in its share of the deadline"))
        if due is not None and due <= now:
            hangs = self._leg
            if self.run.give_up() and hangs is not None:
                self._threads.give_up(hangs.thread)
                if self.answer.done():
                    # Nobody waits any more, and so nobody watches.
                    self._leg = None
                else:
                    self.begin()
                return
        self._look_in(LOOK_SECONDS if due is None else min(max(due - now, 0.001), LOOK_SECONDS))
