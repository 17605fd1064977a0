"""One request's way through plugins. Where one of them hangs, another thread goes on behind it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from vitrine.hosting.hosted import Hosted, Missing
from vitrine.plugin import Batch

# What is wrong with an answer; empty when nothing is.
Check = Callable[[Any], str]


class Superseded(BaseException):
    """The request has been answered, or another thread goes on with it: this one has nothing left to do.

    Not an `Exception`, so that nothing on its way up takes it for a failure.
    """


class Leg(Protocol):
    """One thread's part of the way; `Direct` where nobody waits, `RunningLeg` where somebody does."""

    @property
    def seconds(self) -> float:
        """How long the latest call took; 0 where it was not made, or is not known."""
        ...

    def call(self, hosted: Hosted, method: str, batch: Batch, *arguments: Any, check: Check) -> Any:
        """What the plugin answers, or `Missing`.

        Raises:
            Superseded: The thread has nothing left to do.
        """
        ...


class Direct:
    """Calls plugins and waits for them, however long: for batches and training, whose results no clock may change."""

    # It may be used by several threads, and remembers nothing.
    seconds = 0.0

    def call(self, hosted: Hosted, method: str, batch: Batch, *arguments: Any, check: Check) -> Any:
        """As `Leg.call`."""
        return hosted.attempt(method, batch, *arguments, check=check)


DIRECT = Direct()


@dataclass(slots=True)
class _Call:
    hosted: Hosted
    started: float
    seconds: float
    given_up: bool = False

    @property
    def until(self) -> float:
        return self.started + self.seconds + self.hosted.grace


@dataclass(slots=True)
class Run:
    """What has been found out for one request, by whichever thread.

    Attributes:
        deadline: When its time is over, by the monotonic clock.
    """

    deadline: float
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # With the seconds that each took.
    _answers: list[tuple[Any, float]] = field(default_factory=list)
    _leg: "RunningLeg | None" = None
    _call: _Call | None = None

    def leg(self) -> "RunningLeg":
        """A new leg, which takes the place of the one before."""
        with self._lock:
            self._leg = RunningLeg(self)
            return self._leg

    def close(self) -> None:
        """Nobody waits any more: whoever works on it stops at the next plugin."""
        with self._lock:
            self._leg = None

    def due(self) -> float | None:
        """When the call that runs now is overdue, by the monotonic clock; ``None`` when none runs."""
        call = self._call
        return None if call is None else call.until

    def give_up(self) -> bool:
        """Leaves the call that runs out, if it is overdue. Its thread is lost until it returns; start a new leg."""
        now = time.monotonic()
        with self._lock:
            call = self._call
            if call is None or now < call.until:
                return False
            call.given_up = True
            self._call = self._leg = None
            self._answers.append((call.hosted.late(), now - call.started))
        call.hosted.hangs(now - call.started)
        return True

    def enter(self, leg: "RunningLeg", hosted: Hosted, rows: int) -> Any:
        """Begins the leg's next call: what it was answered before, or `_Call`.

        Raises:
            Superseded: It is another leg's turn.
        """
        now = time.monotonic()
        with self._lock:
            if self._leg is not leg:
                raise Superseded
            if leg.place < len(self._answers):
                answer, leg.seconds = self._answers[leg.place]
                leg.place += 1
                return answer
            refused = hosted.refuses()
            if refused is not None:
                self._answers.append((refused, 0.0))
                leg.seconds = 0.0
                leg.place += 1
                return refused
            self._call = _Call(hosted, now, hosted.limit(rows, self.deadline - now))
            return self._call

    def leave(self, leg: "RunningLeg", call: _Call, answer: Any, seconds: float) -> bool:
        """Ends the call, which took so long; answers whether it still counts."""
        with self._lock:
            if not call.given_up:
                self._call = None
            if self._leg is not leg:
                return False
            self._answers.append((answer, seconds))
            leg.place += 1
            return True


class RunningLeg:
    """One thread's part of a run that somebody watches.

    A leg that follows another repeats its way: each call that is over is answered from memory, in the same order.
    """

    __slots__ = ("_run", "_well", "place", "seconds", "thread")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._well: list[tuple[Hosted, Any, float]] = []
        self.place = 0
        # How long the latest call took, in whichever leg.
        self.seconds = 0.0
        # Which one works on it; 0 before it has begun.
        self.thread = 0

    def call(self, hosted: Hosted, method: str, batch: Batch, *arguments: Any, check: Check) -> Any:
        """As `Leg.call`."""
        begun = self._run.enter(self, hosted, len(batch.items.ids))
        if not isinstance(begun, _Call):
            return begun
        answer = hosted.attempt(method, batch, *arguments, check=check, seconds=begun.seconds)
        self.seconds = took = time.monotonic() - begun.started
        counts = self._run.leave(self, begun, answer, took)
        if begun.given_up:
            hosted.returned()
        elif isinstance(answer, Missing):
            hosted.count(answer, took)
        else:
            # All together at the end: what counting touches is cold in between.
            self._well.append((hosted, answer, took))
        if not counts:
            raise Superseded
        return answer

    def settle(self) -> None:
        """Counts what went well; call it at the end of the leg, however it ends."""
        for hosted, answer, took in self._well:
            hosted.count(answer, took)
        self._well.clear()
