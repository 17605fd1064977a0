"""What a restart reads of the log: events that the profiles and the keys on disk lack."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from vitrine.domain.items import ItemKeys
from vitrine.profile.book import CAPACITY, ItemLookup, KeyBook, decode_keys
from vitrine.profile.cache import ProfileCache
from vitrine.profile.damage import Damaged
from vitrine.profile.encoding import version_of
from vitrine.profile.keys import MAX_KEYS, EventKeys
from vitrine.profile.lag import MAX_ROWS, MAX_WAITING, Lag
from vitrine.profile.logged import decode_logged
from vitrine.profile.memory import Memory
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.store import KEYS_FLOOR, PROFILES_FLOOR, Store, event_key, item_keys_of

RULES = "rules"
# So many times `MAX_WAITING` events are read before it is asked which of them the profiles have.
_MOST = 3
_CHUNK = 500


def open_memory(store: Store, cache: ProfileCache, rules: Rules, lookup: ItemLookup) -> Memory:
    """Reads what profiles and keys on disk lack; after `Memory.finish` that is nothing.

    Where events were to be counted by other rules than those of now, that is done first.

    Raises:
        apsw.Error: The store cannot be read or written.
        Exception: One of `UNREADABLE`: it is damaged.
    """
    numbered = list(store.item_keys(CAPACITY))
    lag = Lag(MAX_ROWS, MAX_WAITING)
    keys = _read_log(store, lag, {number: decode_keys(blob) for number, blob in numbered})
    waiting = EventKeys(store, keys, store.meta(KEYS_FLOOR), MAX_KEYS)
    memory = Memory(store, cache, lag, waiting, KeyBook(numbered, store.first_item_keys()), rules, lookup)
    if (stored := store.meta(RULES)) != (told := msgspec.json.encode(rules).decode()):
        if stored is not None:
            memory.write(store, lag.everybody(), msgspec.json.decode(stored, type=Rules))
        store.begin()
        store.set_meta(RULES, told)
        store.commit()
    return memory


def _read_log(store: Store, lag: Lag, numbered: dict[int, ItemKeys]) -> list[bytes]:
    """Gives ``lag`` the events that profiles may lack; returns the keys that the table may lack."""
    profiles_floor, keys_floor = store.meta(PROFILES_FLOOR), store.meta(KEYS_FLOOR)
    rows: dict[str, list[Row]] = {}
    keys: list[bytes] = []
    read, most = 0, _MOST * MAX_WAITING
    for seq, subject, event, number in store.log_after(min(profiles_floor, keys_floor)):
        logged = decode_logged(event)
        if seq > keys_floor:
            keys.append(event_key(subject.partition("/")[0], logged.event_id))
        if seq > profiles_floor:
            known = numbered.get(number)
            if number and known is None:
                known = numbered[number] = decode_keys(item_keys_of(store.connection, number))
            rows.setdefault(subject, []).append(logged.row(seq, known))
            read += 1
            if read >= most:
                rows = _lacking(store, rows)
                read = sum(map(len, rows.values()))
                most = _MOST * (MAX_WAITING + read)
    lag.add(rows)
    return keys


def _lacking(store: Store, rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Those of the events that their profiles lack, in the order of the first of each subject."""
    lacking: list[tuple[str, list[Row]]] = []
    for subjects in _batched(rows, _CHUNK):
        states = store.states(subjects)
        for subject in subjects:
            try:
                version = version_of(states.get(subject))
            except Damaged:
                version = 0
            if left := [row for row in rows[subject] if row.seq > version]:
                lacking.append((subject, left))
    return dict(sorted(lacking, key=lambda one: one[1][0].seq))


def _batched(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of ``size`` of the values, the last one shorter."""
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk
