"""Waits for what may never come back."""

import threading
from collections.abc import Callable
from typing import TypeVar, cast

from vitrine.errors import Timeout

T = TypeVar("T")

# For importing a plugin and for each of its hooks: models are read there.
START_SECONDS = 60.0


def within(seconds: float, work: Callable[[], T]) -> T:
    """What some work answers, or raises, in a thread of its own that is left behind when it takes longer.

    The thread begins with no context: what the work does to numpy's error handling stays there.

    Raises:
        Timeout: It took longer.
    """
    ended: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            ended.append((None, error))

    thread = threading.Thread(target=run, name="vitrine-patience", daemon=True)
    thread.start()
    thread.join(seconds)
    if not ended:
        raise Timeout(f"did not come back within {seconds:.0f} s")
    value, failure = ended.pop()
    if failure is None:
        return cast("T", value)
    try:
        raise failure
    finally:
        # An error that was raised holds this frame: one must let go of the other.
        del failure
