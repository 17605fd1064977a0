"""The profile store as the rest of the process sees it."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Self

from vitrine.config import Config
from vitrine.domain.clock import Clock, system_clock
from vitrine.domain.events import Activity, Event
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import NotReady
from vitrine.profile.cache import Entry, ProfileCache
from vitrine.profile.columns import empty_profile, to_profile
from vitrine.profile.commit import ItemLookup, Recorded
from vitrine.profile.encoding import encode_state
from vitrine.profile.lag import caught_up
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

# So many events after an encoded profile are counted once by a reader, and not again by the next.
_SHORTEN = 4


class Profiles:
    """Records events durably and answers profiles. Every method may be called from any thread."""

    def __init__(self, lock: StoreLock, store: Store, readers: Readers, writer: Writer, memory: Memory,
                 config: Config, clock: Clock) -> None:  # fmt: skip
        self._lock = lock
        self._store = store
        self._readers = readers
        self._writer = writer
        self._cache = memory.cache
        self._lag = memory.lag
        self._clock = clock
        self._shop = config.shop
        self._prefix = config.shop + "/"
        self._rules = memory.rules
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
            item_keys: Category, brand and price band of an item; called from the writing thread.
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
                memory = open_memory(store, cache, Rules.of(config.profile))
        except BaseException:
            lock.release()
            raise
        writer = Writer(store, memory, config, item_keys)
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
        entry = self._cache.find(self._prefix + subject.key)
        return None if entry is None else self._profile(entry, subject, watermark, min_watermark)

    def get(self, subject: Subject, min_watermark: int = 0) -> Profile:
        """The profile of a subject; an empty one when nothing is known.

        Its ``watermark`` is that of the moment when it was decoded, at least ``min_watermark``.

        Raises:
            NotReady: ``min_watermark`` lies ahead of everything recorded here.
            Unavailable: The store cannot be read.
        """
        watermark = self._check(min_watermark)
        key = self._prefix + subject.key
        entry = self._cache.find(key)
        if entry is None:
            entry = self._read([key])[key]
        return self._profile(entry, subject, watermark, min_watermark)

    def batch_get(self, subjects: Sequence[Subject]) -> list[Profile]:
        """The profiles of subjects, in order."""
        watermark = self.watermark
        keys = [self._prefix + subject.key for subject in subjects]
        entries: dict[str, Entry] = {}
        for key in keys:
            if key not in entries and (entry := self._cache.find(key)) is not None:
                entries[key] = entry
        if missing := [key for key in dict.fromkeys(keys) if key not in entries]:
            entries |= self._read(missing)
        return [
            self._profile(entries[key], subject, watermark, 0)
            for key, subject in zip(keys, subjects, strict=True)
        ]

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

    def _read(self, keys: Sequence[str]) -> dict[str, Entry]:
        """What is not in memory."""
        begun = [self._cache.begin(key) for key in keys]
        # Before the disk: what is written meanwhile is then in both rather than in neither.
        waiting = [self._lag.of(key) for key in keys]
        found = self._readers.states(keys)
        entries: dict[str, Entry] = {}
        again: list[str] = []
        for key, entry, rows in zip(keys, begun, waiting, strict=True):
            if rows and self._lag.of(key)[:1] != rows[:1]:
                # Written or erased meanwhile: what the disk had may be from before or from after.
                again.append(key)
            else:
                entries[key] = self._cache.fill(key, entry, found.get(key), rows)
        return entries | self._read(again) if again else entries

    def _check(self, min_watermark: int) -> int:
        watermark = self._writer.watermark
        if min_watermark > watermark:
            raise NotReady(
                "min_watermark lies ahead of this store; pass a watermark that this service gave out"
            )
        return watermark

    def _profile(self, entry: Entry, subject: Subject, watermark: int, min_watermark: int) -> Profile:
        profile = entry.profile
        if profile is None:
            if entry.state is None and not entry.rows:
                profile = empty_profile(self._rules, subject, watermark)
            else:
                state = caught_up(entry.state, entry.rows, self._rules)
                profile = to_profile(state, self._rules, subject, watermark)
                if len(entry.rows) >= _SHORTEN:
                    shorter = Entry(encode_state(state), (), profile)
                    self._cache.replace(self._prefix + subject.key, entry, shorter)
            entry.profile = profile
        if profile.watermark < min_watermark:
            profile = entry.profile = replace(profile, watermark=watermark)
        return profile
