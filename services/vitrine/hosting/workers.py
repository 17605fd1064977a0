"""Threads for requests. One that hangs in a plugin is given up and another takes its place."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# How long the end of the server waits for all threads that are still at work.
_JOIN_SECONDS = 5.0


class _Seat:
    """Where a thread waits for its next task; ``None`` there ends it."""

    __slots__ = ("gate", "task")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.task: Callable[[], None] | None = None


class Workers(Executor):
    """As many threads as are told; the standard pool can neither let go of one that hangs nor end without it.

    Args:
        size: How many work at once.
    """

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        # What waits for a thread: nothing, unless all are at work.
        self._tasks: deque[Callable[[], None]] = deque()
        # Who worked last goes on: what it needs is still warm. As many threads are started as work at once.
        self._idle: list[_Seat] = []
        self._threads: dict[int, threading.Thread] = {}
        self._closed = False
        self._given_up: set[int] = set()
        self._size = size
        self._number = 0

    @property
    def given_up(self) -> int:
        """Threads that hang."""
        return len(self._given_up)

    def run(self, task: Callable[[], None]) -> None:
        """Does it in a thread, soon; it must not raise.

        Raises:
            RuntimeError: The workers have ended.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the workers have ended")
            seat = self._idle.pop() if self._idle else None
            if seat is None:
                self._tasks.append(task)
            else:
                seat.task = task
        if seat is None:
            self._add()
        else:
            seat.gate.release()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `concurrent.futures.Executor.submit`."""
        future: Future[T] = Future()

        def task() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        self.run(task)
        return future

    def give_up(self, thread: int) -> None:
        """Takes another thread for one that hangs; that one ends when it comes back."""
        with self._lock:
            if self._closed or thread not in self._threads or thread in self._given_up:
                return
            self._given_up.add(thread)
            self._size += 1
        self._add()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the threads once they have done what was asked; those that hang end with the process."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            threads = [thread for ident, thread in self._threads.items() if ident not in self._given_up]
            if cancel_futures:
                self._tasks.clear()
            idle, self._idle = self._idle, []
        for seat in idle:
            seat.gate.release()
        if wait:
            until = time.monotonic() + _JOIN_SECONDS
            for thread in threads:
                thread.join(max(until - time.monotonic(), 0.0))

    def _add(self) -> None:
        with self._lock:
            if len(self._threads) >= self._size:
                return
            self._number += 1
            name = f"vitrine-worker-{self._number}"
            # A daemon: one that hangs must not keep the process.
            thread = threading.Thread(target=self._loop, name=name, daemon=True)
            thread.start()
            self._threads[thread.ident or 0] = thread

    def _loop(self) -> None:
        ident, seat = threading.get_ident(), _Seat()
        while (task := self._next(seat)) is not None:
            try:
                task()
            except Exception:
                log.exception("a task of the workers failed")
            # What it holds on to must not live until the next one comes.
            task = None
            # Not under the lock: who gives it up does so while it is at work.
            if self._given_up and ident in self._given_up:
                break
        with self._lock:
            self._threads.pop(ident, None)
            if ident in self._given_up:
                self._given_up.remove(ident)
                self._size -= 1

    def _next(self, seat: _Seat) -> Callable[[], None] | None:
        with self._lock:
            if self._tasks:
                return self._tasks.popleft()
            if self._closed:
                return None
            self._idle.append(seat)
        seat.gate.acquire()
        task, seat.task = seat.task, None
        return task
