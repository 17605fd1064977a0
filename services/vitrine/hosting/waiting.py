"""Works on a request in a thread, and sees to it that no plugin keeps it beyond its budget."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar, cast

from vitrine.hosting.hosted import Hosted
from vitrine.hosting.leg import Superseded
from vitrine.hosting.remembering import Remembering
from vitrine.hosting.run import Run, RunningLeg
from vitrine.hosting.steps import out_of_time

log = logging.getLogger(__name__)

T = TypeVar("T")

# When to look again whether a plugin has begun to run late, where none runs now. Whoever begins a call that is due before
# that tells the event loop; nearly no request takes so long, and each look takes the interpreter from who computes.
LOOK_SECONDS = 0.05
# Timers may come a little early.
_LEAST_SECONDS = 0.001


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

    async def run(
        self,
        work: Callable[[RunningLeg], T],
        seconds: float | None,
        late: Callable[[Remembering], T] | None = None,
    ) -> T:
        """What the work answers.

        Args:
            work: Is given how to call plugins. It may be called again, in another thread, and must then do the same.
            seconds: Time that it has; ``None`` for any.
            late: What stands in for an answer when that is over, in the event loop; ``None`` for an error.

        Raises:
            Timeout: It took longer.
        """
        watch = _Watch(asyncio.get_running_loop(), self._threads, work, seconds, late)
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
        work: Callable[[RunningLeg], T],
        seconds: float | None,
        late: Callable[[Remembering], T] | None,
    ) -> None:
        self.answer: asyncio.Future[T] = loop.create_future()
        self.run = Run(math.inf if seconds is None else time.monotonic() + seconds, self._due_sooner)
        self._loop = loop
        self._threads = threads
        self._work = work
        self._late = late
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
        self._set_timer()

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
            self._timer = None
        if self.answer.done():
            return
        if failure is None:
            self.answer.set_result(cast("T", value))
        else:
            self.answer.set_exception(failure)

    def _over(self) -> None:
        """The time of the request is over."""
        try:
            if self._late is None:
                raise out_of_time()
            self.answer.set_result(self._late(Remembering(self.run.began, self.run.known())))
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            self.answer.set_exception(error)

    def _due_sooner(self) -> None:
        """In any thread: a call is due before the next look."""
        with suppress(RuntimeError):  # the server has stopped
            self._loop.call_soon_threadsafe(self._look_sooner)

    def _look_sooner(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._set_timer()

    def _set_timer(self) -> None:
        """One timer for both: a plugin that is late, and a request whose time is over."""
        run, now = self.run, time.monotonic()
        if run.idle:
            # It may wait for a thread for long: thousands of them would keep the event loop busy.
            self._timer = None
            return
        due = run.due()
        at = min(now + LOOK_SECONDS if due is None else due, math.inf if self.answer.done() else run.deadline)
        while True:
            # Told first, then asked: a call that begins meanwhile is seen here, or sees this.
            run.looked_at = at
            due = run.due()
            if due is None or due >= at:
                break
            at = due
        self._timer = self._loop.call_later(max(at - now, _LEAST_SECONDS), self._look)

    def _look(self) -> None:
        """In the event loop."""
        due, now = self.run.due(), time.monotonic()
        if now >= self.run.deadline and not self.answer.done():
            self._over()
        if due is not None and due <= now:
            hangs = self._leg
            part = self.run.give_up()
            if part is not None and hangs is not None:
                if isinstance(part, Hosted):
                    # What is the server's own comes back.
                    self._threads.give_up(hangs.thread)
                if self.answer.done():
                    # Nobody waits any more, and so nobody watches.
                    self._leg = self._timer = None
                else:
                    self.begin()
                return
        self._set_timer()
