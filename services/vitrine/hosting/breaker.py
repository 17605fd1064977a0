"""Stops calling what fails again and again, and tries it again later."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

# Calls that are remembered.
WINDOW = 20
_MOST_WAITS = 16


class Breaker:
    """Closed: calls go through. Open, after repeated failures: none do, until one may try whether all is well again.

    (Nygard 2018, "Release It!", 2nd ed., chapter 5.) Any thread may use it.

    Args:
        failures: So many among the last calls open it.
        retry_seconds: How long it is open before a try; doubled by each try that fails, up to 16 times.
        monotonic: A clock.
    """

    def __init__(
        self, failures: int, retry_seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._retry = retry_seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._failed: deque[bool] = deque(maxlen=WINDOW)
        self._count = 0
        self._waits = 0
        self._until = 0.0
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are held back; while one tries, too."""
        return self._waits > 0

    @property
    def wait(self) -> float:
        """Seconds until the next try; 0 when it is closed or a try is due."""
        return max(self._until - self._monotonic(), 0.0) if self._waits else 0.0

    def allows(self) -> bool:
        """Whether to call now. Who was allowed tells how it went: `worked`, `failed` or `undecided`."""
        if not self._waits:
            return True
        with self._lock:
            if self._waits and (self._trying or self._monotonic() < self._until):
                return False
            self._trying = self._waits > 0
            return True

    def worked(self) -> None:
        """A call went well."""
        if not self._count and not self._waits:
            # Nothing to set against it, as nearly always.
            return
        with self._lock:
            if self._trying:
                self._trying, self._waits = False, 0
                self._failed.clear()
                self._count = 0
            self._note(failed=False)

    def failed(self) -> bool:
        """A call went wrong; answers whether that opened it, or kept it open."""
        with self._lock:
            self._note(failed=True)
            if self._waits and not self._trying:
                # A call that had begun before it opened.
                return False
            if not self._trying and self._count < self._failures:
                return False
            self._trying = False
            self._until = self._monotonic() + self._retry * min(2**self._waits, _MOST_WAITS)
            self._waits += 1
            return True

    def undecided(self) -> None:
        """A call was cut short: it tells nothing, and where it was a try, the next one is another."""
        with self._lock:
            self._trying = False

    def _note(self, *, failed: bool) -> None:
        if len(self._failed) == WINDOW:
            self._count -= self._failed[0]
        self._failed.append(failed)
        self._count += failed
