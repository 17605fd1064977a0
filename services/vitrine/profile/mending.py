"""A profile that cannot be read is counted again from the log, which is the truth."""

import logging
from collections.abc import Sequence

import apsw

from vitrine.decoding import UNREADABLE
from vitrine.domain.items import ItemKeys
from vitrine.profile.book import ItemLookup, decode_keys
from vitrine.profile.logged import read_logged
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.profile.store import COUNTED_FLOOR, item_keys_of, meta, select_events

log = logging.getLogger(__name__)

# Events that are counted at once.
_CHUNK = 1_000


def rebuilt(
    connection: apsw.Connection, subjects: Sequence[str], rules: Rules, lookup: ItemLookup
) -> dict[str, ProfileState]:
    """The profiles of subjects (as stored) with every event that is committed; an empty one where there is none.

    They are those that were damaged, to the last bit, but for three things that the log of this server tells. An event
    that cannot be read does not count. One that counted under what is no longer known (see `book`), or came before
    that was kept, counts under what its item is today. And all count by the rules of today.

    It reads the whole log, a second for some 8 million events, whether for one or for hundreds: an index by subject
    would cost every event a quarter of its time, and this is rare.

    Raises:
        apsw.Error: The log cannot be read.
    """
    names = _Names(connection, lookup)
    again = {subject: _Rebuilding(names, rules) for subject in subjects}
    for subject, seq, event, number in select_events(connection, list(again)):
        again[subject].add(seq, event, number)
    return {subject: one.finish() for subject, one in again.items()}


class _Names:
    """What the items of events counted as."""

    def __init__(self, connection: apsw.Connection, lookup: ItemLookup) -> None:
        self._connection = connection
        self._lookup = lookup
        self._counted_floor: int = meta(connection, COUNTED_FLOOR) or 0
        self._numbered: dict[int, ItemKeys | None] = {0: None}

    def keys(self, seq: int, item_id: str, number: int) -> tuple[ItemKeys | None, bool]:
        """Those of an event, and whether they are known; those of today where they are not."""
        if number not in self._numbered:
            try:
                self._numbered[number] = decode_keys(item_keys_of(self._connection, number))
            except (*UNREADABLE, TypeError):
                return self._lookup(item_id), False
        if number == 0 and item_id and seq <= self._counted_floor:
            return self._lookup(item_id), False
        return self._numbered[number], True


class _Rebuilding:
    """A profile that grows from its first event on."""

    def __init__(self, names: _Names, rules: Rules) -> None:
        self._names = names
        self._rules = rules
        self._state = ProfileState()
        self._rows: list[Row] = []
        self._unreadable: list[int] = []
        self._guessed = 0

    def add(self, seq: int, event: bytes, number: int) -> None:
        """Counts an event of the log."""
        logged = read_logged(event)
        if logged is None:
            self._unreadable.append(seq)
        else:
            keys, known = self._names.keys(seq, logged.item_id, number)
            self._guessed += not known
            self._rows.append(logged.row(seq, keys))
            if len(self._rows) == _CHUNK:
                self._count()
        # Also of one that does not count: the next event of the shopper follows it.
        self._state.version = seq

    def finish(self) -> ProfileState:
        """The profile; the log says what was done, without naming anybody."""
        self._count()
        log.error(
            "a stored profile could not be read; it was counted again from its %d events in the log",
            self._state.event_count,
        )
        if self._guessed:
            log.error(
                "of these, %d count under category, brand and price of today; those of then are not kept",
                self._guessed,
            )
        if self._unreadable:
            log.error(
                "%d more of its events cannot be read and do not count, the first has the number %d in the log; "
                "look after the disk, and restore the store from a backup if they are to count",
                len(self._unreadable),
                self._unreadable[0],
            )
        return self._state

    def _count(self) -> None:
        self._state.extend(self._rows, self._rules)
        self._rows.clear()
