"""The profile store as the rest of the process sees it."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from vitrine.config import Config
from vitrine.domain.clock import Clock, system_clock
from vitrine.domain.events import Activity, Event
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import NotReady
from vitrine.profile.answers import Answers
from vitrine.profile.book import ItemLookup
from vitrine.profile.cache import ProfileCache
from vitrine.profile.commit import Recorded
from vitrine.profile.lock import StoreLock, make_directory, sync_directory
from vitrine.profile.memory import Memory
from vitrine.profile.reads import Readers
from vitrine.profile.recovery import open_memory
from vitrine.profile.rules import Rules
from vitrine.profile.schema import connect_writer, opening
from vitrine.profile.store import Store
from vitrine.profile.writer import Listener, Writer

FILE = "profile.db"
LOCK = "profile.lock"


class Profiles:
    """Records events durably and answers profiles. Every method may be called from any thread."""

    def __init__(self, lock: StoreLock, store: Store, readers: Readers, writer: Writer, memory: Memory,
                 config: Config, clock: Clock) -> None:  # fmt: skip
        self._lock = lock
        self._store = store
        self._readers = readers
        self._writer = writer
        self._answers = Answers(readers, memory)
        self._lag = memory.lag
        self._clock = clock
        self._shop = config.shop
        self._prefix = config.shop + "/"
        self._closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        config: Config,
        item_keys: ItemLookup,
        clock: Clock = system_clock,
        vfs: str | None = None,
    ) -> Self:
        """Opens the store in a directory, made when it is missing.

        Args:
            directory: Where `profile.db` lies.
            config: The whole configuration.
            item_keys: Category, brand and price band of an item; called from any thread.
            clock: Time of recording where `record` is given none.
            vfs: Name of a SQLite file system, for tests.

        Raises:
            ConfigError: The store is in use, is damaged, is of another kind, or cannot be written.
        """
        make_directory(directory)
        lock = StoreLock(directory, LOCK)
        try:
            store = Store(connect_writer(directory / FILE, vfs))
            sync_directory(directory)
            cache = ProfileCache(config.profile.cache_profiles)
            with opening(directory / FILE):
                memory = open_memory(store, cache, Rules.of(config.profile), item_keys)
        except BaseException:
            lock.release()
            raise
        writer = Writer(store, memory, config)
        return cls(lock, store, Readers(directory / FILE, vfs), writer, memory, config, clock)

    @property
    def watermark(self) -> int:
        """Sequence number of the last event recorded."""
        return self._writer.watermark

    def record(
        self, events: Sequence[Event], *, backfill: bool = False, now: float | None = None
    ) -> "Future[Recorded]":
        """Records events; the future is done when they are on disk and count in every later `get`.

        An event is known by its id for as long as it is stored: sent again, however late, it changes nothing. Otherwise
        it is taken as valid, but for its time: too old (unless ``backfill``), too far in the future, or from
        before its subject was erased, it is rejected alone, naming ``events[i].time``.

        Args:
            events: Any number; 100 to 1,000 are the most efficient.
            backfill: Take events of any age.
            now: Unix seconds; the clock's when not given.

        Raises:
            Overloaded: Too many events wait already.
            Unavailable: The store is closed; in the future: it cannot write, and nothing of this call was stored.
        """
        return self._writer.submit(events, backfill=backfill, now=self._clock() if now is None else now)

    def peek(self, subject: Subject, min_watermark: int = 0) -> Profile | None:
        """The profile if it is in memory: never waits for the disk."""
        watermark = self._check(min_watermark)
        return self._answers.peek(self._prefix + subject.key, subject, watermark, min_watermark)

    def get(self, subject: Subject, min_watermark: int = 0) -> Profile:
        """The profile of a subject; an empty one when nothing is known.

        Its ``watermark`` is that of the moment when it was decoded, at least ``min_watermark``.

        Raises:
            NotReady: ``min_watermark`` lies ahead of everything recorded here.
            Unavailable: The store cannot be read.
        """
        watermark = self._check(min_watermark)
        key = self._prefix + subject.key
        return self._answers.find({key: subject}, watermark, min_watermark)[key]

    def batch_get(self, subjects: Sequence[Subject]) -> list[Profile]:
        """The profiles of subjects, in order."""
        watermark = self.watermark
        keys = [self._prefix + subject.key for subject in subjects]
        found = self._answers.find(dict(zip(keys, subjects, strict=True)), watermark)
        return [found[key] for key in keys]

    def erase(self, subject: Subject, now: float | None = None) -> "Future[int]":
        """Erases a subject: profile, events and their traces in the files; answers how many events that were.

        Events of the subject from up to ``now`` are refused from then on.
        """
        return self._writer.erase(self._prefix + subject.key, self._clock() if now is None else now)

    def delete(self, subject: Subject, now: float | None = None) -> int:
        """Waits for `erase`."""
        return self.erase(subject, now).result()

    def activity(self, after: int = 0, limit: int = 1_000) -> Activity:
        """Events on items, without their subjects, from the log after a sequence number.

        At most ``limit`` rows of the log are read, searches without an item among them; none are left when the
        cursor is ``after`` itself.
        """
        return self._readers.activity(self._shop, after, limit)

    def subscribe(self, listener: Listener) -> None:
        """Calls ``listener`` with new activity after each commit, before it is acknowledged; it must be quick."""
        self._writer.subscribe(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Undoes `subscribe`."""
        self._writer.unsubscribe(listener)

    def close(self) -> None:
        """Finishes what was accepted and lets go of the store."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._readers.close()
        self._store.connection.close()
        self._lock.release()

    def _check(self, min_watermark: int) -> int:
        watermark = self._writer.watermark
        if min_watermark > watermark:
            raise NotReady(
                "min_watermark lies ahead of this store; pass a watermark that this service gave out"
            )
        return watermark
