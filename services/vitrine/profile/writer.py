"""The one thread that writes. Calls that wait at the same time share a transaction and a sync of the disk."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread

import apsw

from vitrine.config import Config
from vitrine.domain.events import Activity, Event
from vitrine.errors import Unavailable, VitrineError
from vitrine.profile.commit import Batch, Commit, Recorded
from vitrine.profile.damage import LogDamaged
from vitrine.profile.jobs import EraseJob, JobQueue, RecordJob
from vitrine.profile.memory import Memory
from vitrine.profile.store import Store

log = logging.getLogger(__name__)

# How long an erasure waits for readers to leave the write-ahead log.
TRUNCATE_SECONDS = 10.0

Listener = Callable[[Activity], None]


class Writer:
    """Takes events and erasures from any thread and answers when they are on disk.

    Attributes:
        watermark: Sequence number up to which everything is on disk and in the cache.
    """

    def __init__(self, store: Store, memory: Memory, config: Config) -> None:
        self.watermark = store.last_seq()
        self._store = store
        self._memory = memory
        self._config = config
        self._broken = False
        self._listeners: tuple[Listener, ...] = ()
        self._jobs = JobQueue()
        self._thread = Thread(target=self._run, name="profile-writer", daemon=True)
        self._thread.start()

    def subscribe(self, listener: Listener) -> None:
        """Calls ``listener`` from the writing thread after each commit, before the events are acknowledged."""
        self._listeners = (*self._listeners, listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Undoes `subscribe`."""
        self._listeners = tuple(other for other in self._listeners if other != listener)

    def submit(self, events: Sequence[Event], *, backfill: bool, now: float) -> "Future[Recorded]":
        """Queues events; see `JobQueue.put` for its errors."""
        done: Future[Recorded] = Future()
        self._jobs.put(RecordJob(Batch(events, backfill, now), done))
        return done

    def erase(self, subject: str, now: float) -> "Future[int]":
        """Queues the erasure of a subject (as stored); answers how many events were erased."""
        done: Future[int] = Future()
        self._jobs.put(EraseJob(subject, now, done))
        return done

    def close(self) -> None:
        """Finishes what is queued and ends the thread."""
        self._jobs.close()
        self._thread.join()

    def _run(self) -> None:
        while (jobs := self._jobs.take()) is not None:
            if isinstance(jobs, EraseJob):
                self._erase(jobs)
            elif jobs:
                self._record(jobs)
        if self._broken:
            return
        try:
            self._memory.finish(self._store, self.watermark)
        except Exception as error:  # noqa: BLE001
            self._undo(error)

    def _record(self, jobs: Sequence[RecordJob]) -> None:
        if self._broken:
            self._stop(jobs)
            return
        commit = Commit(self._store, self._memory, self._config, self.watermark)
        try:
            self._store.begin()
            commit.write([job.batch for job in jobs])
            self._store.commit()
        except Exception as error:  # noqa: BLE001 (the thread must survive whatever fails)
            commit.undo()
            self._undo(error)
            if isinstance(error, LogDamaged):
                # Those whose profiles are at fault are set aside now.
                self._record(jobs)
                return
            if len(jobs) > 1 and not isinstance(error, apsw.Error):
                # One call is at fault; the others shall not suffer.
                for job in jobs:
                    self._record([job])
                return
            failure = _failure(error)
            for job in jobs:
                job.done.set_exception(failure)
            return
        try:
            commit.settle()
        except Exception:
            # Memory is no longer what is on disk. A restart reads it from there.
            log.exception("the profile store stops: what it holds in memory went wrong")
            self._stop(jobs)
            return
        self.watermark = commit.seq
        if commit.accepted:
            self._tell(commit.activity())
        for job, verdicts in zip(jobs, commit.verdicts, strict=True):
            job.done.set_result(Recorded(verdicts, commit.seq))

    def _erase(self, job: EraseJob) -> None:
        subject, memory = job.subject, self._memory
        try:
            # A reader that has the events that wait must not miss the profile that they belong to.
            if memory.lag.last(subject):
                memory.write(self._store, [subject], memory.rules)
            self._store.begin()
            blob = self._store.states([subject]).get(subject)
            known = memory.state(self._store, subject, blob)
            # An event from a clock that is ahead happened before the erasure, too.
            moment = max(job.now, known.last_time)
            count, keys = self._store.erase(subject, known.version, known.event_count, moment, self.watermark)
            self._store.commit()
        except Exception as error:  # noqa: BLE001
            self._undo(error)
            job.done.set_exception(_failure(error))
            return
        try:
            memory.erased(subject, keys, moment)
        except Exception:
            log.exception("the profile store stops: what it holds in memory went wrong")
            self._stop([job])
            return
        try:
            self._empty_wal()
        except Exception as error:  # noqa: BLE001
            job.done.set_exception(_failure(error))
            return
        job.done.set_result(count)

    def _stop(self, jobs: Sequence[RecordJob | EraseJob]) -> None:
        """Refuses these calls, those that wait and all to come."""
        self._broken = True
        self._jobs.close()
        failure = Unavailable("the profile store has stopped; restart this server and send this again")
        waiting: Sequence[RecordJob | EraseJob] | EraseJob | None = jobs
        while waiting is not None:
            for job in [waiting] if isinstance(waiting, EraseJob) else waiting:
                job.done.set_exception(failure)
            waiting = self._jobs.take()

    def _empty_wal(self) -> None:
        """Overwritten data must not live on in the write-ahead log."""
        deadline = time.monotonic() + TRUNCATE_SECONDS
        while not self._store.truncate_wal():
            if time.monotonic() > deadline:
                raise Unavailable(
                    "the shopper is erased, but the log of the store could not be emptied; send this again"
                )
            time.sleep(0.005)

    def _undo(self, error: Exception) -> None:
        """Undoes the transaction; memory has not changed yet."""
        log.error("a transaction of the profile store failed: %s", error, exc_info=error)
        try:
            self._store.rollback()
        except apsw.Error:
            log.exception("the failed transaction could not be rolled back")

    def _tell(self, activity: Activity) -> None:
        for listener in self._listeners:
            try:
                listener(activity)
            except Exception:
                log.exception("a listener of the profile store failed")


def _failure(error: Exception) -> VitrineError:
    """What a caller is told; the rest is in the log."""
    if isinstance(error, VitrineError):
        return error
    if isinstance(error, apsw.FullError):
        return Unavailable("the disk of the profile store is full; nothing of this call was stored")
    return Unavailable("the profile store cannot write; nothing of this call was stored, send it again")
