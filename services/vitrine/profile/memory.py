"""What the writing thread keeps in memory of the store, and how it comes on disk."""

import logging
import time
from collections.abc import Sequence

from vitrine.profile.book import KeyBook
from vitrine.profile.cache import ProfileCache
from vitrine.profile.encoding import encode_state
from vitrine.profile.keys import EventKeys
from vitrine.profile.lag import Lag, Row, caught_up
from vitrine.profile.rules import Rules
from vitrine.profile.store import Changes, Store, subject_hash

log = logging.getLogger(__name__)

PROFILES_FLOOR, KEYS_FLOOR = "profiles_floor", "keys_floor"
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
    """

    def __init__(
        self, store: Store, cache: ProfileCache, lag: Lag, keys: EventKeys, book: KeyBook, rules: Rules
    ) -> None:
        self.cache = cache
        self.lag = lag
        self.keys = keys
        self.book = book
        self.tombstones = store.tombstones()
        self.rules = rules
        self._floors = {name: int(store.meta(name)) for name in (PROFILES_FLOOR, KEYS_FLOOR)}

    def catch_up(self, store: Store, subjects: Sequence[str], rules: Rules) -> list[tuple[str, bytes]]:
        """The encoded profiles of subjects with all of their events, in the order of subjects."""
        known: dict[str, tuple[bytes | None, Sequence[Row]]] = {}
        missing: list[str] = []
        for subject in subjects:
            if (entry := self.cache.look(subject)) is not None:
                known[subject] = entry.state, entry.rows
            else:
                missing.append(subject)
        found = store.states(missing)
        known.update((subject, (found.get(subject), self.lag.of(subject))) for subject in missing)
        made: list[tuple[str, bytes]] = []
        for subject in sorted(subjects):
            blob, rows = known[subject]
            try:
                made.append(
                    (subject, blob if blob and not rows else encode_state(caught_up(blob, rows, rules)))
                )
            except Exception:
                # One that is damaged must not keep others from being written.
                log.exception("a profile cannot be brought up to date; its events stay in the log")
                self.lag.set_aside(subject)
        return made

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
            made = self.catch_up(store, subjects[start : start + _CHUNK], rules)
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
