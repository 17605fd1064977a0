"""What waits for the writing thread."""

from collections import deque
from concurrent.futures import Future
from threading import Condition
from typing import NamedTuple

from vitrine.errors import Overloaded, Unavailable
from vitrine.profile.commit import Batch, Recorded

MAX_GROUP_EVENTS = 2_000
MAX_WAITING_EVENTS = 50_000


class RecordJob(NamedTuple):
    """Events to record."""

    batch: Batch
    done: "Future[Recorded]"

    @property
    def size(self) -> int:
        """How much of the queue it takes."""
        return len(self.batch.events)


class EraseJob(NamedTuple):
    """A subject (as stored) to erase."""

    subject: str
    now: float
    done: "Future[int]"

    @property
    def size(self) -> int:
        """How much of the queue it takes."""
        return 1


class JobQueue:
    """A bounded queue that hands out together what can go into one transaction."""

    def __init__(self, max_waiting: int = MAX_WAITING_EVENTS) -> None:
        self._jobs: deque[RecordJob | EraseJob] = deque()
        self._waiting = 0
        self._max_waiting = max_waiting
        self._changed = Condition()
        self._closed = False

    def put(self, job: RecordJob | EraseJob) -> None:
        """Adds a job.

        Raises:
            Overloaded: Too many events wait already.
            Unavailable: The queue is closed.
        """
        with self._changed:
            if self._closed:
                raise Unavailable("the profile store is shutting down; send this again")
            if self._waiting and self._waiting + job.size > self._max_waiting:
                raise Overloaded(f"{self._waiting} events wait to be stored already; send this again later")
            self._waiting += job.size
            self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """Takes no more jobs; those in it are still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self) -> list[RecordJob] | EraseJob | None:
        """The next jobs that go together: calls that record, or one erasure.

        Returns:
            An empty list when all callers have gone away; ``None`` when the queue is closed and empty.
        """
        with self._changed:
            while not self._jobs:
                if self._closed:
                    return None
                self._changed.wait()
            group: list[RecordJob] = []
            size = 0
            while self._jobs:
                job = self._jobs[0]
                if group and (isinstance(job, EraseJob) or size + job.size > MAX_GROUP_EVENTS):
                    break
                self._jobs.popleft()
                self._waiting -= job.size
                # A caller may have gone away; once running, the job can no longer be cancelled.
                if not job.done.set_running_or_notify_cancel():
                    continue
                if isinstance(job, EraseJob):
                    return job
                size += job.size
                group.append(job)
            return group
