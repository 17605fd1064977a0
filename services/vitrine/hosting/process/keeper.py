"""Keeps one child process running: starts another when it ends, the later the more often it ends."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from vitrine.errors import PluginFailed
from vitrine.hosting.process.handle import Handle
from vitrine.hosting.process.told import Made, Start
from vitrine.plugin import MissingData

log = logging.getLogger(__name__)

# Seconds before the first restart, and at most; it doubles with each end, and every so many seconds one is forgotten.
# A plugin that crashes again and again is started about once in these seconds.
_FIRST, _MOST, _FORGET = 0.1, 30.0, 15.0


class Places(Protocol):
    """Where children wait for calls; `vitrine.hosting.process.places.Waiting` is that."""

    def offer(self, child: Handle) -> None:
        """A child is ready."""
        ...

    def lose(self, child: Handle) -> None:
        """A child has ended."""
        ...


class Backoff:
    """How long to wait before a restart."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._level = 0.0
        self._last = clock()

    def seconds(self) -> float:
        """Notes an end; seconds until the restart."""
        now = self._clock()
        self._level = max(0.0, self._level - (now - self._last) / _FORGET) + 1
        self._last = now
        return float(min(_MOST, _FIRST * 2 ** (min(self._level, 20.0) - 1)))


class Keeper:
    """A thread that keeps one child running until it is closed.

    Args:
        child: The first one, which has made its parts.
        made: What it made; one that makes something else is not used.
        start: How to start another.
        places: Where they wait for calls.

    Attributes:
        running: Whether a child is there; while another is started, none is.
        restarts: How often another was started.
    """

    def __init__(self, child: Handle, made: Made, start: Start, places: Places) -> None:
        self._child = child
        self._made = made
        self._start = start
        self._places = places
        self.running = True
        self.restarts = 0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"vitrine-plugin-{start.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the child; idempotent."""
        with self._lock:
            self._closed.set()
            self._child.kill()

    def join(self, seconds: float) -> None:
        """Waits until it has ended."""
        self._thread.join(seconds)

    def _keep(self) -> None:
        backoff = Backoff()
        while True:
            how = self._child.wait()
            self.running = False
            self._places.lose(self._child)
            if self._closed.is_set():
                return
            seconds = backoff.seconds()
            log.warning(
                "plugin '%s': its process ended by %s; restart in %.1f s", self._start.name, how, seconds
            )
            while self._closed.wait(seconds) or not self._restart():
                if self._closed.is_set():
                    return
                seconds = backoff.seconds()

    def _restart(self) -> bool:
        """Starts another child; whether it is ready."""
        try:
            child = Handle(self._start)
        except OSError:
            log.exception("plugin '%s': no process can be started", self._start.name)
            return False
        with self._lock:
            self._child = child
            if self._closed.is_set():
                child.kill()
        try:
            made = child.made(time.monotonic() + self._start.seconds)
            if made != self._made:
                raise PluginFailed(
                    "made something else than at first; restart the server after an update of it"
                )
        except (PluginFailed, MissingData) as error:
            child.kill()
            child.wait()
            if not self._closed.is_set():
                log.warning("plugin '%s' cannot be restarted: %s", self._start.name, error)
            return False
        self.restarts += 1
        self.running = True
        self._places.offer(child)
        return True
