"""One request's way through plugins. Where one of them hangs, another thread goes on behind it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from vitrine.domain.answer import DegradationCode
from vitrine.hosting.hosted import Hosted, Missing
from vitrine.hosting.leg import Check, Superseded
from vitrine.hosting.steps import Raised, Step, outcome
from vitrine.plugin import Batch

T = TypeVar("T")

_CUT = Missing(
    DegradationCode.TIMEOUT,
    "the request had less time left than the plugin's budget, and it took longer",
    "timeout",
)


@dataclass(slots=True)
class _Call:
    leg: "RunningLeg"
    hosted: Hosted | Step
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


class Known(NamedTuple):
    """A call that is over: what was called, with which arguments beside the batch, the answer, how long it took, until when."""

    hosted: Hosted | Step
    asked: tuple[Any, ...]
    answer: Any
    seconds: float
    ended: float

    def answers(self, hosted: Hosted | Step, asked: tuple[Any, ...]) -> bool:
        """Whether it was the same call."""
        same = self.hosted == hosted and self.asked[0] == asked[0]
        return same and all(map(np.array_equal, self.asked[1:], asked[1:]))


def _nobody() -> None:
    """Is told where nobody looks."""


@dataclass(slots=True)
class Run:
    """What has been found out for one request, by whichever thread.

    Attributes:
        deadline: When its time is over, by the monotonic clock.
        due_sooner: Is told, in any thread, of a call that is due before somebody looks.
        looked_at: When somebody looks next whether a call is overdue.
        began: When it was asked for.
    """

    deadline: float
    due_sooner: Callable[[], None] = _nobody
    looked_at: float = 0.0
    began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answers: list[Known] = field(default_factory=list)
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
            # Who looks holds this, and an error that was raised the frames it went through: together they would wait
            # for the collector.
            self.due_sooner = _nobody
            self._answers = []

    @property
    def idle(self) -> bool:
        """Whether no call runs, and none will: nobody waits any more."""
        # In this order: once it is closed, no call begins.
        return self._leg is None and self._call is None

    def known(self) -> "list[Known]":
        """The calls that are over."""
        with self._lock:
            return list(self._answers)

    def due(self) -> float | None:
        """When the call that runs now is overdue, by the monotonic clock; ``None`` when none runs."""
        call = self._call
        return None if call is None else call.until

    def give_up(self) -> Hosted | Step | None:
        """Leaves the call that runs out, if it is overdue, and answers what was called.

        Its thread is lost until it returns; start a new leg.
        """
        now = time.monotonic()
        with self._lock:
            call = self._call
            if call is None or now < call.until:
                return None
            call.given_up = True
            self._call = self._leg = None
            answer = _CUT if call.cut else call.hosted.late()
            self._answers.append(Known(call.hosted, call.asked, answer, now - call.started, now))
            # Its thread may never come back to count them, and a breaker may wait for one.
            well = call.leg.take_well()
        call.hosted.hangs(now - call.started, cut=call.cut)
        count(well)
        return call.hosted

    def enter(self, leg: "RunningLeg", hosted: Hosted | Step, rows: int, *asked: Any) -> Any:
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
                    leg.seconds, leg.moment = known.seconds, known.ended
                    leg.place += 1
                    return known.answer
                # The catalogue has changed since, and so what is asked about: from here on it is another way.
                del self._answers[leg.place :]
            refused = hosted.refuses()
            if refused is not None:
                self._answers.append(Known(hosted, asked, refused, 0.0, now))
                leg.seconds = 0.0
                leg.place += 1
                return refused
            seconds = hosted.limit(rows, self.deadline - now)
            call = self._call = _Call(leg, hosted, asked, now, seconds, hosted.allowance(rows))
        if call.until < self.looked_at:
            self.due_sooner()
        return call

    def leave(self, leg: "RunningLeg", call: _Call, answer: Any, seconds: float) -> bool:
        """Ends the call, which took so long; answers whether it still counts."""
        with self._lock:
            if not call.given_up:
                self._call = None
            if self._leg is not leg:
                return False
            leg.moment = call.started + seconds
            self._answers.append(Known(call.hosted, call.asked, answer, seconds, leg.moment))
            leg.place += 1
            return True


class RunningLeg:
    """One thread's part of a run that somebody watches.

    A leg that follows another repeats its way: each call that is over is answered from memory, in the same order.
    """

    __slots__ = ("_run", "_well", "moment", "place", "seconds", "thread")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._well: list[tuple[Hosted, Any, float]] = []
        self.place = 0
        # How long the latest call took, in whichever leg.
        self.seconds = 0.0
        # When that was over.
        self.moment = run.began
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

    def step(self, name: str, seconds: float, work: Callable[[], T]) -> T:
        """What some work of the server's own answers, or raises.

        Args:
            name: Which work it is; no two of a request have the same.
            seconds: Time that it has.
            work: Does it, once; a leg that follows is told what came of it.

        Raises:
            Superseded: The thread has nothing left to do.
            Timeout: It took longer, and a leg that follows asks.
        """
        answer = begun = self._run.enter(self, Step(name, seconds), 0, name)
        try:
            if isinstance(begun, _Call):
                try:
                    answer = work()
                except Exception as error:  # noqa: BLE001 - raised again
                    answer = Raised(error)
                if not self._run.leave(self, begun, answer, time.monotonic() - begun.started):
                    raise Superseded
            return cast("T", outcome(answer))
        finally:
            # As in `outcome`.
            del answer, begun

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
