"""Joins the runs of callers that come together."""

import math
import threading
import time
from collections.abc import Callable

from vitrine.errors import InferenceBusy, InferenceError, InferenceTimeout
from vitrine.inference.joining import Buffers, bucket, check_rows, joined, rows_of
from vitrine.inference.running import Feeds, Outputs, check_finite, timed_out

Run = Callable[[Feeds, float], Outputs]


class _Call:
    """One caller's rows, and where its answer arrives."""

    __slots__ = ("batch", "deadline", "feeds", "gate", "key", "outcome", "rows")

    def __init__(self, feeds: Feeds, deadline: float) -> None:
        self.feeds = feeds
        self.deadline = deadline
        self.rows = rows_of(feeds)
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

    Up to ``slots`` callers run at once, each in its own thread, unless told to wait for company first. Others queue;
    whoever finishes hands its slot to the queue: the oldest call and all with the same shapes, led by the one that can
    wait longest, so that the deadline of the joint run is the last of all. Followers whose time is over earlier leave by
    themselves, and what is out of time when a run begins is no part of it.
    """

    def __init__(
        self, run: Run, *, slots: int, max_rows: int, pad: bool, company: float = 0.0, most_waiting: int = 256
    ) -> None:
        """Makes a batcher.

        Args:
            run: Runs feeds until a deadline (`time.monotonic`, or infinite).
            slots: Runs at once.
            max_rows: Rows that a joint run may have; a single call may have more.
            pad: Fill up to a power of two, for devices that stall on each new shape.
            company: Seconds that a call waits for others before it runs, where a slot is free and rows are.
            most_waiting: Calls that may queue; more are refused at once.
        """
        self._run, self._slots, self._max_rows, self._pad = run, slots, max_rows, pad
        self._company, self._most_waiting = company, most_waiting
        # Only where one run ends before the next one's inputs are put together, and where the device copies them.
        self._buffers = Buffers() if pad and slots == 1 else None
        self._lock = threading.Lock()
        self._running = 0
        # Empty unless all slots are taken, be it by who waits for company.
        self._queue: list[_Call] = []

    def run(self, feeds: Feeds, deadline: float) -> Outputs:
        """The outputs of these rows.

        Raises:
            InferenceBusy: Too many wait already.
            InferenceError: The run failed, or an output for these rows has NaN or infinity.
            InferenceTimeout: The deadline passed, waiting or running.
        """
        call = _Call(feeds, deadline)
        gathers = False
        with self._lock:
            if self._running < self._slots:
                self._running += 1
                # Who fills a run alone has nobody to wait for.
                gathers = self._company > 0 and call.rows < self._max_rows
                if not gathers:
                    call.batch = [call]
            elif len(self._queue) >= self._most_waiting:
                raise InferenceBusy(f"{self._most_waiting} requests wait for the model already")
            if call.batch is None:
                call.key = sorted((name, a.dtype.str, a.shape[1:]) for name, a in feeds.items())
                call.gate.acquire()
                self._queue.append(call)
        if call.batch is None:
            self._wait(call, gathers=gathers)
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

    def _wait(self, call: _Call, *, gathers: bool) -> None:
        """Returns when the call was answered, is to lead, or is out of time.

        Who gathers holds a slot for a moment, so that others may come, and then hands it to the queue, with the call in it.
        """
        try:
            if gathers:
                try:
                    time.sleep(min(self._company, max(0.0, call.deadline - time.monotonic())))
                finally:
                    self._hand_over()
            patience = -1.0 if call.deadline == math.inf else max(0.0, call.deadline - time.monotonic())
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
        size = bucket(rows, self._max_rows) if self._pad else rows
        try:
            feeds = joined([c.feeds for c in calls], rows, size, self._buffers)
            outputs = self._run(feeds, max(c.deadline for c in calls))
            check_rows(outputs, size)
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
