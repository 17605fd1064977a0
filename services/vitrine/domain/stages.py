"""Where the time of a request goes, stage by stage: seconds by the clock, and of this thread's CPU.

Stages are disjoint, so that those of a request add up to it.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from time import perf_counter, thread_time
from typing import NamedTuple, TypeVar

T = TypeVar("T")

# What is left of a request when all that was measured is taken away: waiting for a thread, the event loop, the network.
WAITING = "waiting"


class Stage(NamedTuple):
    """One stage of a request.

    Attributes:
        name: For example "merge", "source:popular" or "ranker:cf".
        seconds: Time by the clock.
        cpu: Seconds of CPU in the thread that worked on it; what others did for it meanwhile (a process of its own, a
            run that several requests share) is not in it.
    """

    name: str
    seconds: float
    cpu: float


class Laps:
    """Measures stages that follow one another in one thread, from its making on."""

    __slots__ = ("_at", "_cpu", "_spent", "_within", "_within_cpu")

    def __init__(self) -> None:
        self._spent: dict[str, tuple[float, float]] = {}
        self._within = self._within_cpu = 0.0
        self._at, self._cpu = perf_counter(), thread_time()

    def lap(self, name: str) -> None:
        """Gives the time since the lap before, less what `within` took out of it, to a stage; one may come again."""
        now, cpu = perf_counter(), thread_time()
        # A plugin may have asked from a thread of its own, whose CPU is none of this one's.
        seconds, spent = now - self._at - self._within, cpu - self._cpu - self._within_cpu
        self._add(name, seconds if seconds > 0 else 0.0, spent if spent > 0 else 0.0)
        self._at, self._cpu = now, cpu
        self._within = self._within_cpu = 0.0

    def within(self, name: str, other: "Laps") -> None:
        """Gives what other laps measured, inside the lap that runs now, to a stage of its own."""
        seconds, cpu = other.since()
        self._add(name, seconds, cpu)
        self._within += seconds
        self._within_cpu += cpu

    def since(self) -> tuple[float, float]:
        """Seconds and CPU since the last lap."""
        return perf_counter() - self._at, thread_time() - self._cpu

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What was measured, in order of first appearance."""
        return tuple(Stage(name, *spent) for name, spent in self._spent.items())

    def _add(self, name: str, seconds: float, cpu: float) -> None:
        before = self._spent.get(name)
        self._spent[name] = (seconds, cpu) if before is None else (before[0] + seconds, before[1] + cpu)


def measured(name: str, work: Callable[[], T]) -> tuple[T, tuple[Stage, ...]]:
    """What some work answers, and the stage that it was."""
    laps = Laps()
    answer = work()
    laps.lap(name)
    return answer, laps.stages


class Spent:
    """One request: the stages of its services, and what is left as `WAITING`. Used by one thread at a time.

    Attributes:
        began: When it did, on the clock of `time.perf_counter`.
        wanted: Whether the answer tells it.
        services: The services that were called, and how long each took.
    """

    __slots__ = ("_spent", "_told", "began", "services", "wanted")

    def __init__(self) -> None:
        self.began = perf_counter()
        self._spent: dict[str, list[float]] = {}
        self._told: list[Stage] = []
        self.services: list[tuple[str, float]] = []
        self.wanted = False

    def add(self, stages: Iterable[Stage]) -> None:
        """Takes in stages; times of the same one add up."""
        for name, seconds, cpu in stages:
            spent = self._spent.get(name)
            if spent is None:
                self._spent[name] = [seconds, cpu]
            else:
                spent[0] += seconds
                spent[1] += cpu

    def report(self, stages: Iterable[Stage]) -> None:
        """Has whoever answers a call for this request tell what it took; `called` takes it in."""
        self._told += stages

    def called(self, service: str, seconds: float, stages: Iterable[Stage] = (), *, failed: bool) -> None:
        """Takes in a call of a service that took so long.

        What it told is taken as told, and the rest is waiting; where it told nothing or failed, the rest is its own.
        """
        self.services.append((service, seconds))
        told = [*self._told, *stages]
        self._told = []
        self.add(told)
        if failed or not told:
            self.add([Stage(service, max(seconds - sum(s.seconds for s in told), 0.0), 0.0)])

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What was measured until now, in the order in which it came."""
        return tuple(Stage(name, *spent) for name, spent in self._spent.items())

    def take(self, other: "Spent") -> None:
        """Takes in what was measured of it elsewhere."""
        self.add(other.stages)
        self.services += other.services

    def close(self) -> tuple[Stage, ...]:
        """All stages until now, in the order in which they came, `WAITING` last; together they are the request."""
        rest = perf_counter() - self.began - sum(seconds for seconds, _ in self._spent.values())
        return (*self.stages, Stage(WAITING, max(rest, 0.0), 0.0))


# The request that the task of the event loop works on; a call of gRPC is a task, and so a context of its own.
current_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


def spent() -> Spent:
    """That of the request of this task; a new one where nobody measures."""
    return current_spent.get() or Spent()
