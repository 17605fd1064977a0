"""Joins the runs of callers that come together. Nobody waits for company: an idle model runs at once."""

import math
import threading
import time
from collections.abc import Callable

import numpy as np

from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.inference.running import Array, Feeds, Outputs, check_finite, timed_out

Run = Callable[[Feeds, float], Outputs]

_SMALLEST_BUCKET = 8


class _Call:
    """One caller's rows, and where its answer arrives."""

    __slots__ = ("batch", "deadline", "feeds", "gate", "key", "outcome", "rows")

    def __init__(self, feeds: Feeds, deadline: float) -> None:
        self.feeds = feeds
        self.deadline = deadline
        self.rows = _rows(feeds)
        self.key: object = None
        # The calls that this caller is to run, its own among them; None while it follows another.
        self.batch: list[_Call] | None = None
        self.outcome: Outputs | Exception | None = None
        self.gate = threading.Lock()

    def settle(self, outcome: Outputs | Exception) -> None:
        """Gives the caller its answer, unless it has one."""
        if self.outcome is None:
            self.outcome = outcome
            if self.batch is None:
                self.gate.release()


class Batcher:
    """Leader and followers (Schmidt et al., PLoP 2000): no thread of its own, no timer.

    Up to ``slots`` callers run at once, each in its own thread. Others queue; whoever finishes hands its slot to the
    queue: the oldest call and all with the same shapes, led by the one that can wait longest, so that the deadline of
    the joint run is the last of all. Followers whose time is over earlier leave by themselves.
    """

    def __init__(self, run: Run, *, slots: int, max_rows: int, pad: bool) -> None:
        """Makes a batcher.

        Args:
            run: Runs feeds until a deadline (`time.monotonic`, or infinite).
            slots: Runs at once.
            max_rows: Rows that a joint run may have; a single call may have more.
            pad: Fill up to a power of two, for devices that stall on each new shape.
        """
        self._run, self._slots, self._max_rows, self._pad = run, slots, max_rows, pad
        self._lock = threading.Lock()
        self._running = 0
        # Empty unless all slots are taken.
        self._queue: list[_Call] = []

    def run(self, feeds: Feeds, deadline: float) -> Outputs:
        """The outputs of these rows.

        Raises:
            InferenceError: The run failed, or an output for these rows has NaN or infinity.
            InferenceTimeout: The deadline passed, waiting or running.
        """
        call = _Call(feeds, deadline)
        with self._lock:
            if self._running < self._slots:
                self._running += 1
                call.batch = [call]
            else:
                call.key = sorted((name, a.dtype.str, a.shape[1:]) for name, a in feeds.items())
                call.gate.acquire()
                self._queue.append(call)
        if call.batch is None:
            self._wait(call)
        if call.batch is not None:
            self._lead(call.batch)
        outcome = call.outcome
        # A call that knows its batch, and an error that knows its frame, hold themselves: let go at once.
        call.batch = None
        try:
            if isinstance(outcome, dict):
                return outcome
            raise outcome or timed_out()
        finally:
            del call, outcome

    def _wait(self, call: _Call) -> None:
        """Returns when the call was answered, is to lead, or is out of time."""
        patience = -1.0 if call.deadline == math.inf else max(0.0, call.deadline - time.monotonic())
        try:
            answered = call.gate.acquire(timeout=patience)
        except BaseException:
            self._leave(call)
            if call.batch is not None:
                self._settle_rest(call.batch)
                self._hand_over()
            raise
        if not answered:
            self._leave(call)

    def _leave(self, call: _Call) -> None:
        with self._lock:
            if call in self._queue:
                self._queue.remove(call)

    def _lead(self, batch: list[_Call]) -> None:
        try:
            now = time.monotonic()
            self._answer([c for c in batch if c.deadline > now])
        finally:
            # Whatever happened, nobody waits in vain, and the slot is not lost.
            try:
                self._settle_rest(batch)
            finally:
                self._hand_over()

    @staticmethod
    def _settle_rest(batch: list[_Call]) -> None:
        now = time.monotonic()
        for call in batch:
            late = call.deadline <= now
            call.settle(timed_out() if late else InferenceError("the run that this call shared broke off"))

    def _hand_over(self) -> None:
        with self._lock:
            if not self._queue:
                self._running -= 1
                return
            batch = self._take()
            leader = max(batch, key=lambda c: c.deadline)
            leader.batch = batch
        leader.gate.release()

    def _take(self) -> list[_Call]:
        first, rows = self._queue[0], 0
        taken: list[_Call] = []
        left: list[_Call] = []
        for call in self._queue:
            if call is first or (call.key == first.key and rows + call.rows <= self._max_rows):
                taken.append(call)
                rows += call.rows
            else:
                left.append(call)
        self._queue = left
        return taken

    def _answer(self, calls: list[_Call]) -> None:
        """Runs the calls as one and gives each its rows; those whose time is over are left without an answer."""
        if not calls:
            return
        rows = sum(c.rows for c in calls)
        size = _bucket(rows) if self._pad else rows
        try:
            outputs = self._run(_join(calls, rows, size), max(c.deadline for c in calls))
            _check_rows(outputs, size)
        except InferenceTimeout:
            return
        except InferenceError as error:
            if len(calls) == 1:
                calls[0].settle(error.with_traceback(None))
            else:
                # One of them may be at fault: each on its own, the impatient first.
                for call in sorted(calls, key=lambda c: c.deadline):
                    self._answer([call])
            return
        start = 0
        for call in calls:
            own = {name: values[start : start + call.rows] for name, values in outputs.items()}
            start += call.rows
            try:
                check_finite(own)
            except InferenceError as error:
                call.settle(error.with_traceback(None))
            else:
                call.settle(own)


def _rows(feeds: Feeds) -> int:
    lengths: set[int | None] = {a.shape[0] if a.ndim else None for a in feeds.values()}
    first = lengths.pop() if lengths else None
    if first is None or lengths:
        shapes = ", ".join(f"'{name}' {a.shape}" for name, a in feeds.items())
        raise InferenceError(f"the model's inputs need the same number of rows (axis 0); they are {shapes}")
    return first


def _check_rows(outputs: Outputs, rows: int) -> None:
    for name, values in outputs.items():
        if not values.ndim or len(values) != rows:
            raise InferenceError(
                f"the model's output '{name}' has shape {values.shape} for {rows} rows of inputs; "
                "requests cannot share its runs"
            )


def _bucket(rows: int) -> int:
    """The next power of two."""
    return max(_SMALLEST_BUCKET, 1 << (rows - 1).bit_length())


def _join(calls: list[_Call], rows: int, size: int) -> Feeds:
    """Feeds of ``size`` rows: those of the calls, then the last one again."""
    first = calls[0].feeds
    if len(calls) == 1 and rows == size:
        return first
    joined: dict[str, Array] = {}
    for name, values in first.items():
        buffer = joined[name] = np.zeros((size, *values.shape[1:]), values.dtype)
        np.concatenate([c.feeds[name] for c in calls], out=buffer[:rows])
        if rows:
            # A real row is one that the model can take.
            buffer[rows:] = buffer[rows - 1]
    return joined
