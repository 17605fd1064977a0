"""Waits, outside of requests, for plugins that may never come back: as they are imported, made and warmed up."""

import contextvars
import math
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from vitrine.errors import Timeout
from vitrine.hosting.leg import Leg, Superseded
from vitrine.hosting.run import Run, RunningLeg
from vitrine.hosting.workers import Workers

T = TypeVar("T")

# For importing a plugin and for each of its hooks: models are read there.
START_SECONDS = 60.0
# How often to look whether a plugin has begun to run late.
_LOOK_SECONDS = 0.01
# One thread for as long as none hangs: each new one would take its memory from another place, and not give it back.
_THREADS = Workers(1)


class _Ended:
    """How some work ended, in whichever thread."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self._value: object = None
        self._failure: BaseException | None = None

    def run(self, work: Callable[[], object]) -> None:
        """Does it, and keeps what came of it."""
        try:
            # In a context of its own: what a plugin does to numpy's error handling stays there.
            self._value = contextvars.Context().run(work)
        except Superseded:
            return
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            self._failure = error
        self.done.set()

    def result(self) -> object:
        """What the work answered, or raises what it raised."""
        value, failure = self._value, self._failure
        self._value = self._failure = None
        if failure is None:
            return value
        try:
            raise failure
        finally:
            # An error that was raised holds this frame: one must let go of the other.
            del failure


def within(seconds: float, work: Callable[[], T]) -> T:
    """What some work answers, or raises, in a thread that is left behind when it takes longer.

    Raises:
        Timeout: It took longer.
    """
    ended = _Ended()
    threads: list[int] = []

    def task() -> None:
        threads.append(threading.get_ident())
        ended.run(work)

    _THREADS.run(task)
    if not ended.done.wait(seconds):
        for thread in threads:
            _THREADS.give_up(thread)
        raise Timeout(f"did not come back within {seconds:.0f} s")
    return cast("T", ended.result())


def run_watched(work: Callable[[Leg], T]) -> T:
    """What the work answers, as `Waiter.run`, for who may block, and however long it takes."""
    run, ended = Run(math.inf), _Ended()

    def begin() -> RunningLeg:
        leg = run.leg()

        def task() -> None:
            leg.thread = threading.get_ident()
            try:
                ended.run(lambda: work(leg))
            finally:
                leg.settle()

        _THREADS.run(task)
        return leg

    try:
        leg = begin()
        while not ended.done.wait(_LOOK_SECONDS):
            if run.give_up() is not None:
                _THREADS.give_up(leg.thread)
                leg = begin()
        return cast("T", ended.result())
    finally:
        # A run and its leg hold each other, and what was called: models that were replaced would wait for the collector.
        run.close()
