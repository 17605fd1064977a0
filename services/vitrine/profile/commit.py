"""One transaction: judges the events of several calls and writes the good ones, with their keys, into the log."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vitrine.config import Config
from vitrine.domain.events import Activity, Event, EventStatus, Verdict
from vitrine.domain.items import ItemKeys
from vitrine.profile.damage import Damaged
from vitrine.profile.encoding import version_of
from vitrine.profile.memory import Memory
from vitrine.profile.rows import Row
from vitrine.profile.state import DAY_SECONDS
from vitrine.profile.store import Changes, LogRow, Store, encode_event, event_key, subject_hash

_ACCEPTED = Verdict(EventStatus.ACCEPTED)
_DUPLICATE = Verdict(EventStatus.DUPLICATE)


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

    Memory changes in `settle` alone, once the transaction went through.

    Attributes:
        seq: Last sequence number given out.
        verdicts: For each batch, a verdict an event.
        accepted: The events that were new.
    """

    def __init__(self, store: Store, memory: Memory, config: Config, seq: int) -> None:
        self.seq = seq
        self.verdicts: list[list[Verdict]] = []
        self.accepted: list[Event] = []
        self._before = seq
        self._store = store
        self._memory = memory
        self._shop = config.shop
        self._max_age = config.profile.max_event_age_days * DAY_SECONDS
        self._max_age_days = config.profile.max_event_age_days
        self._max_skew = config.profile.max_clock_skew_seconds
        # Of each accepted event: subject as stored, time of recording, key.
        self._subjects: list[str] = []
        self._recorded: list[float] = []
        self._keys: list[bytes] = []
        # Of each subject with accepted events: these, and the encoded profile if it was read for this.
        self._rows: dict[str, list[Row]] = {}
        self._bases: dict[str, bytes | None] = {}
        # What waited before and is written now: profiles; keys of events, and how many parts of the table that is.
        self._written: list[tuple[str, bytes]] = []
        self._due: list[bytes] = []
        self._parts = 0
        self._expired = 0
        # Whose damaged profiles were met that can be read.
        self._misleading: list[str] = []

    def write(self, batches: Sequence[Batch]) -> None:
        """Judges and writes within the open transaction."""
        memory, shop = self._memory, self._shop
        keys = [[event_key(shop, event.event_id) for event in batch.events] for batch in batches]
        known = memory.keys.known([key for batch_keys in keys for key in batch_keys])
        for batch, batch_keys in zip(batches, keys, strict=True):
            self.verdicts.append(self._judge(batch, batch_keys, known))
        heads = self._heads()
        mending = bool(self._misleading) or memory.mender.ready()
        due = memory.lag.due(len(self._keys), self._before, mending=mending)
        # Readers would notice nothing, and so these cannot wait behind others that are damaged.
        due = list(dict.fromkeys((*due, *self._misleading)))
        self._written = memory.catch_up(self._store, due, memory.rules, mending=mending)
        self._mended(heads)
        log = self._log(heads)
        self._due, self._parts = memory.keys.due(len(self._keys))
        floors = memory.risen_floors(self._before)
        self._expired = memory.book.expired(self._store.first_needed_keys)
        self._store.add(Changes(log, memory.book.new(), self._due, self._written, floors, self._expired))

    def settle(self) -> None:
        """Takes into memory what is on disk now. A reader sees every event in one of the two at any moment."""
        memory = self._memory
        memory.book.settle(self._expired)
        memory.keys.settle(self._due, self._parts, self._keys, self._before)
        memory.written(self._written)
        memory.lag.add(self._rows)
        memory.cache.commit(self._rows, self._bases)

    def undo(self) -> None:
        """Forgets what did not come on disk."""
        self._memory.book.undo()

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
        tombstones = self._memory.tombstones
        prefix = self._shop + "/"
        verdicts: list[Verdict] = []
        for position, (event, key) in enumerate(zip(batch.events, keys, strict=True)):
            if key in known:
                verdicts.append(_DUPLICATE)
                continue
            subject = prefix + event.subject
            if not earliest <= event.time <= latest:
                verdicts.append(self._wrong_time(position, event, batch.now))
            elif tombstones and event.time <= tombstones.get(subject_hash(subject), -1.0):
                verdicts.append(_erased(position))
            else:
                known.add(key)
                self._keys.append(key)
                self._subjects.append(subject)
                self.accepted.append(event)
                verdicts.append(_ACCEPTED)
        self._recorded.extend([batch.now] * (len(self.accepted) - len(self._recorded)))
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

    def _log(self, heads: dict[str, int]) -> list[LogRow]:
        """The rows of the log for the new events, after ``heads``; what counting them takes goes into ``_rows``."""
        lookup, number_of = self._memory.lookup, self._memory.book.number
        items: dict[str, tuple[ItemKeys | None, int]] = {"": (None, 0)}
        rows, log, seq = self._rows, [], self.seq
        for event, subject, recorded in zip(self.accepted, self._subjects, self._recorded, strict=True):
            item = event.item_id
            known = items.get(item)
            if known is None:
                keys = lookup(item)
                known = items[item] = keys, number_of(keys)
            seq += 1
            log.append((seq, heads[subject], recorded, subject, encode_event(event), known[1]))
            heads[subject] = seq
            row = Row(seq, event.type, event.time, item, event.quantity, event.rating, known[0])
            rows.setdefault(subject, []).append(row)
        self.seq = seq
        return log

    def _heads(self) -> dict[str, int]:
        """Sequence number of the last event of each subject so far."""
        memory = self._memory
        heads, others = memory.lag.heads(dict.fromkeys(self._subjects))
        blobs: dict[str, bytes | None] = {}
        missing: list[str] = []
        for subject in others:
            if (entry := memory.cache.look(subject)) is None:
                missing.append(subject)
            elif entry.rows:
                heads[subject] = entry.rows[-1].seq
            else:
                blobs[subject] = entry.state
        if missing:
            found = self._store.states(missing)
            self._bases.update((subject, found.get(subject)) for subject in missing)
            blobs |= self._bases
        for subject, blob in blobs.items():
            try:
                heads[subject] = version_of(blob)
            except Damaged:
                # Nobody knows which event came before, until it is counted again.
                heads[subject] = 0
                memory.doubt(subject)
            if heads[subject] > self._before:
                # Readers would take it for one that has the events to come.
                heads[subject] = 0
                memory.doubt(subject)
                self._misleading.append(subject)
        return heads

    def _mended(self, heads: dict[str, int]) -> None:
        """Profiles are as they are written now, whatever was read of them before."""
        for subject, blob in self._written:
            if subject in heads:
                heads[subject] = version_of(blob)
            if subject in self._bases:
                self._bases[subject] = blob


def _erased(position: int) -> Verdict:
    return Verdict(
        EventStatus.REJECTED,
        f"events[{position}].time",
        "is before this shopper was erased; such events are never taken again",
    )
