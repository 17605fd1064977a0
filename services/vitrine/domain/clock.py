"""Time is injected: nothing in the domain asks the system for it."""

import time
from collections.abc import Callable

# Answers Unix seconds UTC.
Clock = Callable[[], float]


def system_clock() -> float:
    """The time now."""
    return time.time()


def clock_from(start: float, *, frozen: bool = False) -> Clock:
    """A clock that shows ``start`` (Unix seconds) now and goes on from there, to serve a past day.

    Args:
        start: What it shows first.
        frozen: Whether it stands still, so that the same question has the same answer.
    """
    if frozen:
        return lambda: start
    offset = start - time.monotonic()
    return lambda: offset + time.monotonic()
