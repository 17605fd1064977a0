"""What the writing thread keeps in memory of the store, and how it comes on disk."""

import time
from collections.abc import Sequence

from vitrine.profile.book import ItemLookup, KeyBook
from vitrine.profile.cache import Entry, ProfileCache
from vitrine.profile.damage import DAMAGE, LogDamaged
from vitrine.profile.encoding import encode_state
from vitrine.profile.keys import EventKeys
from vitrine.profile.lag import Lag, caught_up
from vitrine.profile.mender import Mender
from vitrine.profile.mending import rebuilt
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.profile.store import KEYS_FLOOR, PROFILES_FLOOR, Changes, Store, subject_hash

# Events by which a floor rises at least before it is written: it does no harm when it lies lower.
FLOOR_STEP = 5_000
# How long a store that is closed may take to catch up.
FINISH_SECONDS = 5.0
# Profiles in one transaction when all are brought up to date.
_CHUNK = 500


class Memory:
    """Everything that a commit changes beside the disk.

    Attributes:
        cache: Profiles, for readers.
        lag: Events that the profiles on disk lack.
        keys: Keys of events.
        book: Numbers for what items count as.
        tombstones: Time of the erasure by `subject_hash`.
        rules: How events are counted.
        lookup: What items count as.
        mender: Counts damaged profiles again.
    """

    def __init__(self, store: Store, cache: ProfileCache, lag: Lag, keys: EventKeys, book: KeyBook,
                 rules: Rules, lookup: ItemLookup) -> None:  # fmt: skip
        self.cache = cache
        self.lag = lag
        self.keys = keys
        self.book = book
        self.tombstones = store.tombstones()
        self.rules = rules
        self.lookup = lookup
        self.mender = Mender(lag, lookup)
        self._floors = {name: int(store.meta(name)) for name in (PROFILES_FLOOR, KEYS_FLOOR)}

    def doubt(self, subject: str) -> None:
        """Has a profile counted again whose bytes cannot be those that were written."""
        self.lag.mark(subject)
        if (entry := self.cache.look(subject)) is not None:
            self.cache.replace(subject, entry, Entry(b"", entry.rows))

    def catch_up(
        self, store: Store, subjects: Sequence[str], rules: Rules, *, mending: bool
    ) -> list[tuple[str, bytes]]:
        """The encoded profiles of subjects with all of their events, in the order of subjects.

        Those that are damaged are left out and marked, unless they are to be mended now; see `Mender.ready`.

        Raises:
            LogDamaged: See `Mender.rebuilt`.
        """
        cached = {subject: entry for subject in subjects if (entry := self.cache.look(subject)) is not None}
        found = store.states([subject for subject in subjects if subject not in cached])
        made: list[tuple[str, bytes]] = []
        damaged: list[str] = []
        for subject in sorted(subjects):
            entry = cached.get(subject) or Entry(found.get(subject), self.lag.of(subject))
            if entry.state is None and not entry.rows:
                # Erased since a reader found it damaged.
                self.lag.drop([subject])
            elif entry.state is not None and entry.profile is not None and not entry.rows:
                # Somebody read it, and so it is sound.
                made.append((subject, entry.state))
            elif self.lag.marked(subject):
                damaged.append(subject)
            else:
                try:
                    made.append((subject, encode_state(caught_up(entry.state, entry.rows, rules))))
                except DAMAGE:
                    damaged.append(subject)
        if damaged and mending:
            again = self.mender.rebuilt(store, damaged, rules)
            made += [(subject, encode_state(state)) for subject, state in again.items()]
            made.sort()
        else:
            for subject in damaged:
                self.lag.mark(subject)
        return made

    def state(self, store: Store, subject: str, blob: bytes | None) -> ProfileState:
        """A stored profile with the events after it; counted again from the log where it is damaged."""
        try:
            return caught_up(blob, self.lag.of(subject), self.rules)
        except DAMAGE:
            return rebuilt(store.connection, [subject], self.rules, self.lookup)[subject]

    def written(self, states: Sequence[tuple[str, bytes]]) -> None:
        """What `catch_up` made is on disk now."""
        self.cache.written(dict(states))
        self.lag.drop(subject for subject, _ in states)

    def erased(self, subject: str, keys: Sequence[bytes], time: float) -> None:
        """A subject, the events with these keys, and everything up to a time is gone from the disk."""
        self.keys.discard(keys)
        self.lag.drop([subject])
        self.cache.erase(subject)
        key = subject_hash(subject)
        self.tombstones[key] = max(time, self.tombstones.get(key, 0.0))

    def risen_floors(self, last_seq: int) -> list[tuple[str, int]]:
        """The rows of `meta` to write now; ``last_seq`` is that of the last event that was committed."""
        floors = {PROFILES_FLOOR: self.lag.floor(last_seq), KEYS_FLOOR: self.keys.floor}
        risen = [(name, seq) for name, seq in floors.items() if seq >= self._floors[name] + FLOOR_STEP]
        # Written or not: when the transaction fails, the next step comes.
        self._floors.update(risen)
        return risen

    def write(
        self, store: Store, subjects: Sequence[str], rules: Rules, deadline: float = float("inf")
    ) -> None:
        """Brings profiles up to date on disk, in transactions of their own that begin before ``deadline``."""
        for start in range(0, len(subjects), _CHUNK):
            if time.monotonic() > deadline:
                return
            store.begin()
            try:
                made = self.catch_up(store, subjects[start : start + _CHUNK], rules, mending=True)
            except LogDamaged:
                store.rollback()
                store.begin()
                made = self.catch_up(store, subjects[start : start + _CHUNK], rules, mending=True)
            store.add(Changes((), (), (), made, ()))
            store.commit()
            self.written(made)

    def finish(self, store: Store, last_seq: int) -> None:
        """Brings everything on disk up to date, so that the next start has nothing to read; as far as time allows."""
        deadline = time.monotonic() + FINISH_SECONDS
        self.write(store, self.lag.everybody(), self.rules, deadline)
        keys = self.keys.rest()
        for start in range(0, len(keys), _CHUNK * 20):
            if time.monotonic() > deadline:
                return
            store.begin()
            store.add(Changes((), (), keys[start : start + _CHUNK * 20], (), ()))
            store.commit()
        store.begin()
        store.add(
            Changes((), (), (), (), [(PROFILES_FLOOR, self.lag.floor(last_seq)), (KEYS_FLOOR, last_seq)])
        )
        store.commit()
