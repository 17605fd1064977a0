"""One transaction: judges the events of several calls, counts the good ones, and writes all of it together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vitrine.config import Config
from vitrine.domain.events import Activity, Event, EventStatus, Verdict
from vitrine.domain.items import ItemKeys
from vitrine.profile.cache import ProfileCache, StateCache
from vitrine.profile.encoding import decode_state, encode_state
from vitrine.profile.rules import Rules
from vitrine.profile.state import DAY_SECONDS, ProfileState
from vitrine.profile.store import LogRow, Store, encode_event, event_key, subject_hash

_ACCEPTED = Verdict(EventStatus.ACCEPTED)
_DUPLICATE = Verdict(EventStatus.DUPLICATE)

# Answers category, brand and price band of an item, when the item is known.
ItemLookup = Callable[[str], ItemKeys | None]


class Recorded(NamedTuple):
    """What became of the events of a call.

    Attributes:
        verdicts: One an event, in order.
        watermark: Sequence number of the log that includes them.
    """

    verdicts: Sequence[Verdict]
    watermark: int


class Batch(NamedTuple):
    """The events of one call."""

    events: Sequence[Event]
    backfill: bool
    now: float


class Commit:
    """The work of one transaction.

    The states in ``states`` change while it writes; when it fails, those `touched` are to be dropped. Nothing else
    outside it changes.

    Attributes:
        seq: Last sequence number given out.
        verdicts: For each batch, a verdict an event.
        blobs: Encoded profiles that changed, by subject as stored.
        accepted: The events that were new.
        touched: Subjects whose states in memory are ahead of the disk until the transaction went through.
    """

    def __init__(
        self,
        store: Store,
        cache: ProfileCache,
        states: StateCache,
        config: Config,
        item_keys: ItemLookup,
        tombstones: dict[bytes, float],
        seq: int,
    ) -> None:
        self.seq = seq
        self.verdicts: list[list[Verdict]] = []
        self.blobs: list[tuple[str, bytes]] = []
        self.accepted: list[Event] = []
        self.touched: Sequence[str] = ()
        self._store = store
        self._cache = cache
        self._states = states
        self._item_keys = item_keys
        self._tombstones = tombstones
        self._shop = config.shop
        self._rules = Rules.of(config.profile)
        self._max_age = config.profile.max_event_age_days * DAY_SECONDS
        self._max_age_days = config.profile.max_event_age_days
        self._max_skew = config.profile.max_clock_skew_seconds
        # Sequence number and subject as stored of each accepted event, its time of recording.
        self._rows: list[tuple[int, str, float]] = []
        self._keys: set[bytes] = set()

    def write(self, batches: Sequence[Batch]) -> None:
        """Judges and writes within the open transaction."""
        shop = self._shop
        keys = [[event_key(shop, event.event_id) for event in batch.events] for batch in batches]
        known = self._store.known_keys([key for batch_keys in keys for key in batch_keys])
        for batch, batch_keys in zip(batches, keys, strict=True):
            self.verdicts.append(self._judge(batch, batch_keys, known))
        states = self._load(list(dict.fromkeys(subject for _, subject, _ in self._rows)))
        log = self._count(states)
        self.blobs = [(subject, encode_state(state)) for subject, state in states.items()]
        self._store.add(log, self._keys, self.blobs)

    def activity(self) -> Activity:
        """The new events on items, without their subjects."""
        events = [event for event in self.accepted if event.item_id]
        return Activity(
            [event.item_id for event in events],
            np.array([event.type for event in events], np.int8),
            np.array([event.time for event in events], np.float64),
            np.array([event.quantity for event in events], np.float64),
            self.seq,
        )

    def _judge(self, batch: Batch, keys: Sequence[bytes], known: set[bytes]) -> list[Verdict]:
        earliest = float("-inf") if batch.backfill else batch.now - self._max_age
        latest = batch.now + self._max_skew
        prefix = self._shop + "/"
        verdicts: list[Verdict] = []
        for position, (event, key) in enumerate(zip(batch.events, keys, strict=True)):
            if key in known:
                verdicts.append(_DUPLICATE)
                continue
            subject = prefix + event.subject
            if not earliest <= event.time <= latest:
                verdicts.append(self._wrong_time(position, event, batch.now))
            elif self._tombstones and event.time <= self._tombstones.get(subject_hash(subject), -1.0):
                verdicts.append(_erased(position))
            else:
                known.add(key)
                self._keys.add(key)
                self.seq += 1
                self._rows.append((self.seq, subject, batch.now))
                self.accepted.append(event)
                verdicts.append(_ACCEPTED)
        return verdicts

    def _wrong_time(self, position: int, event: Event, now: float) -> Verdict:
        if event.time > now:
            message = (
                f"is {event.time - now:.0f} s in the future, more than the {self._max_skew:g} s allowed; "
                "check the clock of the sender"
            )
        else:
            message = (
                f"is {(now - event.time) / DAY_SECONDS:.1f} days ago; events older than {self._max_age_days:g} days "
                "are taken only with backfill"
            )
        return Verdict(EventStatus.REJECTED, f"events[{position}].time", message)

    def _count(self, states: dict[str, ProfileState]) -> list[LogRow]:
        """Applies the new events to the profiles that they belong to; returns their rows of the log."""
        rules, lookup = self._rules, self._item_keys
        items: dict[str, ItemKeys | None] = {"": None}
        log: list[LogRow] = []
        for event, (seq, subject, now) in zip(self.accepted, self._rows, strict=True):
            item = event.item_id
            if item not in items:
                items[item] = lookup(item)
            state = states[subject]
            state.apply(event, items[item], rules)
            log.append(LogRow(seq, state.version, now, subject, encode_event(event)))
            state.version = seq
        return log

    def _load(self, subjects: Sequence[str]) -> dict[str, ProfileState]:
        """The states to change, from memory where they are."""
        self.touched = subjects
        states: dict[str, ProfileState] = {}
        blobs: dict[str, bytes | None] = {}
        missing: list[str] = []
        for subject in subjects:
            if (state := self._states.find(subject)) is not None:
                states[subject] = state
            elif (entry := self._cache.find(subject)) is not None:
                blobs[subject] = entry.state
            else:
                missing.append(subject)
        blobs.update(self._store.states(missing))
        for subject in subjects:
            if subject not in states:
                blob = blobs.get(subject)
                state = ProfileState() if blob is None else decode_state(blob)
                states[subject] = state
                self._states.put(subject, state)
        return states


def _erased(position: int) -> Verdict:
    return Verdict(
        EventStatus.REJECTED,
        f"events[{position}].time",
        "is before this shopper was erased; such events are never taken again",
    )
