"""One request's way through plugins. Where one of them hangs, another thread goes on behind it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from vitrine.domain.answer import DegradationCode
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


_CUT = Missing(
    DegradationCode.TIMEOUT,
    "the request had less time left than the plugin's budget, and it took longer",
    "timeout",
)


@dataclass(slots=True)
class _Call:
    leg: "RunningLeg"
    hosted: Hosted
    asked: tuple[Any, ...]
    started: float
    seconds: float
    budget: float
    given_up: bool = False

    @property
    def until(self) -> float:
        return self.started + self.seconds + self.hosted.grace

    @property
    def cut(self) -> bool:
        """Whether the request leaves it less than its budget."""
        return self.seconds < self.budget


class _Known(NamedTuple):
    """A call that is over: what was called, with which arguments beside the batch, the answer, and how long it took."""

    hosted: Hosted
    asked: tuple[Any, ...]
    answer: Any
    seconds: float

    def answers(self, hosted: Hosted, asked: tuple[Any, ...]) -> bool:
        """Whether it was the same call."""
        same = self.hosted is hosted and self.asked[0] == asked[0]
        return same and all(map(np.array_equal, self.asked[1:], asked[1:]))


@dataclass(slots=True)
class Run:
    """What has been found out for one request, by whichever thread.

    Attributes:
        deadline: When its time is over, by the monotonic clock.
    """

    deadline: float
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answers: list[_Known] = field(default_factory=list)
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
            answer = _CUT if call.cut else call.hosted.late()
            self._answers.append(_Known(call.hosted, call.asked, answer, now - call.started))
            # Its thread may never come back to count them, and a breaker may wait for one.
            well = call.leg.take_well()
        call.hosted.hangs(now - call.started, cut=call.cut)
        count(well)
        return True

    def enter(self, leg: "RunningLeg", hosted: Hosted, rows: int, *asked: Any) -> Any:
        """Begins the leg's next call: what it was answered before, or `_Call`.

        Raises:
            Superseded: It is another leg's turn.
        """
        now = time.monotonic()
        with self._lock:
            if self._leg is not leg:
                raise Superseded
            if leg.place < len(self._answers):
                known = self._answers[leg.place]
                if known.answers(hosted, asked):
                    leg.seconds = known.seconds
                    leg.place += 1
                    return known.answer
                # The catalogue has changed since, and so what is asked about: from here on it is another way.
                del self._answers[leg.place :]
            refused = hosted.refuses()
            if refused is not None:
                self._answers.append(_Known(hosted, asked, refused, 0.0))
                leg.seconds = 0.0
                leg.place += 1
                return refused
            seconds = hosted.limit(rows, self.deadline - now)
            self._call = _Call(leg, hosted, asked, now, seconds, hosted.allowance(rows))
            return self._call

    def leave(self, leg: "RunningLeg", call: _Call, answer: Any, seconds: float) -> bool:
        """Ends the call, which took so long; answers whether it still counts."""
        with self._lock:
            if not call.given_up:
                self._call = None
            if self._leg is not leg:
                return False
            self._answers.append(_Known(call.hosted, call.asked, answer, seconds))
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
        begun = self._run.enter(self, hosted, len(batch.items.ids), method, *arguments)
        if not isinstance(begun, _Call):
            return begun
        answer = hosted.attempt(method, batch, *arguments, check=check, seconds=begun.seconds)
        if begun.cut and isinstance(answer, Missing) and answer.outcome == "timeout":
            answer = _CUT
        self.seconds = took = time.monotonic() - begun.started
        counts = self._run.leave(self, begun, answer, took)
        if begun.given_up:
            hosted.returned(late=begun.cut and took > begun.budget)
        elif isinstance(answer, Missing):
            hosted.count(answer, took, cut=begun.cut)
        else:
            # All together at the end: what counting touches is cold in between.
            self._well.append((hosted, answer, took))
        if not counts:
            raise Superseded
        return answer

    def settle(self) -> None:
        """Counts what went well; call it at the end of the leg, however it ends."""
        count(self.take_well())

    def take_well(self) -> list[tuple[Hosted, Any, float]]:
        """What went well and is still to be counted, for who counts it."""
        well, self._well = self._well, []
        return well


def count(well: list[tuple[Hosted, Any, float]]) -> None:
    """Counts what went well."""
    for hosted, answer, took in well:
        hosted.count(answer, took)
