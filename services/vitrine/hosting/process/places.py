"""Where children wait for calls, and callers for children."""

import threading
import time

from vitrine.errors import PluginFailed, Timeout
from vitrine.hosting.process.handle import Handle


class Waiting:
    """Where children wait for calls. Any thread may use it."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._idle: list[Handle] = []
        self._alive: set[Handle] = set()
        self._closed = False

    def offer(self, child: Handle) -> None:
        """A child is ready."""
        with self._changed:
            self._alive.add(child)
            self._idle.append(child)
            self._changed.notify()

    def lose(self, child: Handle) -> None:
        """A child has ended, or is about to."""
        with self._changed:
            self._alive.discard(child)
            if child in self._idle:
                self._idle.remove(child)
            # Who waits for the last one waits in vain.
            self._changed.notify_all()

    def take(self, deadline: float) -> Handle:
        """A child that waits for a call.

        Raises:
            PluginFailed: There is none, or this is closed.
            Timeout: All are busy until the deadline.
        """
        with self._changed:
            while True:
                if self._closed:
                    raise PluginFailed("is closed")
                while self._idle:
                    # The latest: its caches are warm.
                    child = self._idle.pop()
                    if child.usable:
                        return child
                    self._alive.discard(child)
                    child.kill()
                if not self._alive:
                    raise PluginFailed("is being restarted")
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise Timeout("all processes of the plugin were busy")

    def give_back(self, child: Handle) -> None:
        """A call is over, well or badly."""
        if not child.usable:
            child.kill()
            self.lose(child)
            return
        with self._changed:
            # Where the keeper has noticed its end just now, it stays away.
            if child in self._alive:
                self._idle.append(child)
                self._changed.notify()

    def close(self) -> None:
        """Nobody gets a child any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
