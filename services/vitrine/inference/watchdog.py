"""Stops runs that exceed their time: one thread a process, however many models and callers there are."""

import heapq
import itertools
import math
import os
import threading
import time
from typing import Any

# Finished runs stay in the heap until their time comes; beyond this many it is cleared of them.
_COMPACT_AT = 1024

# Deadline, a number that decides between equal ones, and the run's options; ``None`` once it is over.
Watch = list[Any]


class Watchdog:
    """Sets ``terminate`` in the options of a run when its deadline passes.

    ONNX Runtime looks at it between two operators (``OrtRunOptions::terminate``).
    """

    def __init__(self) -> None:
        self._start_over()
        # A child of fork has neither the thread nor whoever held the lock.
        os.register_at_fork(after_in_child=self._start_over)

    def _start_over(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._heap: list[Watch] = []
        self._numbers = itertools.count()
        self._limit = _COMPACT_AT
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    def watch(self, deadline: float, options: Any) -> Watch:
        """Starts to watch a run.

        Args:
            deadline: When it must be over, on the clock of `time.monotonic`.
            options: Its `onnxruntime.RunOptions`, used by no other run.
        """
        entry = [deadline, next(self._numbers), options]
        with self._changed:
            if len(self._heap) >= self._limit:
                self._heap = [e for e in self._heap if e[2] is not None]
                heapq.heapify(self._heap)
                self._limit = max(_COMPACT_AT, 2 * len(self._heap))
            heapq.heappush(self._heap, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._guard, name="vitrine-watchdog", daemon=True)
                self._thread.start()
            elif deadline < self._wakes:
                self._changed.notify()
        return entry

    @staticmethod
    def done(entry: Watch) -> None:
        """The run is over. Takes no lock: the thread skips the entry when it gets there."""
        entry[2] = None

    def _guard(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                while self._heap and (self._heap[0][2] is None or self._heap[0][0] <= now):
                    options = heapq.heappop(self._heap)[2]
                    if options is not None:
                        options.terminate = True
                self._wakes = self._heap[0][0] if self._heap else math.inf
                self._changed.wait(self._wakes - now if self._heap else None)


watchdog = Watchdog()
