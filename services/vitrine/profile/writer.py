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
from vitrine.profile.cache import ProfileCache, StateCache
from vitrine.profile.commit import Batch, Commit, ItemLookup, Recorded
from vitrine.profile.encoding import decode_state
from vitrine.profile.jobs import EraseJob, JobQueue, RecordJob
from vitrine.profile.state import ProfileState
from vitrine.profile.store import Store, subject_hash

log = logging.getLogger(__name__)

# How long an erasure waits for readers to leave the write-ahead log.
TRUNCATE_SECONDS = 10.0

# Shoppers whose states stay ready to be changed; a state takes some 10 kB, 25 once unpacked.
HOT_STATES = 8_192

Listener = Callable[[Activity], None]


class Writer:
    """Takes events and erasures from any thread and answers when they are on disk.

    Attributes:
        watermark: Sequence number up to which everything is on disk and in the cache.
    """

    def __init__(self, store: Store, cache: ProfileCache, config: Config, item_keys: ItemLookup) -> None:
        self.watermark = store.last_seq()
        self._store = store
        self._cache = cache
        self._states = StateCache(min(HOT_STATES, config.profile.cache_profiles))
        self._config = config
        self._item_keys = item_keys
        self._tombstones = store.tombstones()
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

    def _record(self, jobs: Sequence[RecordJob]) -> None:
        commit = Commit(
            self._store,
            self._cache,
            self._states,
            self._config,
            self._item_keys,
            self._tombstones,
            self.watermark,
        )
        try:
            self._store.begin()
            commit.write([job.batch for job in jobs])
            self._store.commit()
        except Exception as error:  # noqa: BLE001 (the thread must survive whatever fails)
            self._states.drop(commit.touched)
            self._undo(error)
            if len(jobs) > 1 and not isinstance(error, apsw.Error):
                # One call is at fault; the others shall not suffer.
                for job in jobs:
                    self._record([job])
                return
            failure = _failure(error)
            for job in jobs:
                job.done.set_exception(failure)
            return
        self._cache.put(commit.blobs)
        self.watermark = commit.seq
        if commit.accepted:
            self._tell(commit.activity())
        for job, verdicts in zip(jobs, commit.verdicts, strict=True):
            job.done.set_result(Recorded(verdicts, commit.seq))

    def _erase(self, job: EraseJob) -> None:
        try:
            self._store.begin()
            state = self._store.states([job.subject]).get(job.subject)
            known = ProfileState() if state is None else decode_state(state)
            # An event from a clock that is ahead happened before the erasure, too.
            moment = max(job.now, known.last_time)
            erased = self._store.erase(job.subject, known.version, moment, self.watermark)
            self._store.commit()
        except Exception as error:  # noqa: BLE001
            self._undo(error)
            job.done.set_exception(_failure(error))
            return
        self._states.drop([job.subject])
        self._cache.put([(job.subject, None)])
        key = subject_hash(job.subject)
        self._tombstones[key] = max(moment, self._tombstones.get(key, 0.0))
        try:
            self._empty_wal()
        except Exception as error:  # noqa: BLE001
            job.done.set_exception(_failure(error))
            return
        job.done.set_result(erased)

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
