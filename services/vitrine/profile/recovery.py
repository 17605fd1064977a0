"""What a restart reads of the log: events that the profiles and the keys on disk lack."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from vitrine.domain.items import ItemKeys
from vitrine.errors import Unavailable
from vitrine.profile.book import CAPACITY, KeyBook, decode_keys
from vitrine.profile.cache import ProfileCache
from vitrine.profile.encoding import version_of
from vitrine.profile.keys import MAX_KEYS, EventKeys
from vitrine.profile.lag import MAX_ROWS, MAX_WAITING, Lag, Row
from vitrine.profile.memory import KEYS_FLOOR, PROFILES_FLOOR, Memory
from vitrine.profile.rules import Rules
from vitrine.profile.store import Store, event_key

RULES = "rules"
# So many times `MAX_WAITING` events are read before it is asked which of them the profiles have.
_MOST = 3
_CHUNK = 500


class _Logged(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an `Event`, those that are counted and those that identify it."""

    event_id: str
    subject: msgspec.Raw
    item_id: str
    type: int
    time: float
    value_micros: msgspec.Raw
    currency: msgspec.Raw
    quantity: float
    rating: float


_decode = msgspec.msgpack.Decoder(_Logged).decode


def open_memory(store: Store, cache: ProfileCache, rules: Rules) -> Memory:
    """Reads what profiles and keys on disk lack; after `Memory.finish` that is nothing.

    Where events were to be counted by other rules than those of now, that is done first.

    Raises:
        apsw.Error: The store cannot be read or written.
        msgspec.MsgspecError: It is damaged.
    """
    numbered = list(store.item_keys(CAPACITY))
    lag = Lag(MAX_ROWS, MAX_WAITING)
    keys = _read_log(store, lag, {number: decode_keys(blob) for number, blob in numbered})
    memory = Memory(
        store, cache, lag, EventKeys(store, keys, store.meta(KEYS_FLOOR), MAX_KEYS), KeyBook(numbered), rules
    )
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
    # More are read where a profile that was set aside holds the floor down.
    read, most = 0, _MOST * MAX_WAITING
    for seq, subject, event, number in store.log_after(min(profiles_floor, keys_floor)):
        logged = _decode(event)
        if seq > keys_floor:
            keys.append(event_key(subject.partition("/")[0], logged.event_id))
        if seq > profiles_floor:
            known = numbered.get(number)
            if number and known is None:
                known = numbered[number] = decode_keys(store.item_keys_of(number))
            rows.setdefault(subject, []).append(
                Row(seq, logged.type, logged.time, logged.item_id, logged.quantity, logged.rating, known)
            )
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
            except Unavailable:
                version = 0
            if left := [row for row in rows[subject] if row.seq > version]:
                lacking.append((subject, left))
    return dict(sorted(lacking, key=lambda one: one[1][0].seq))


def _batched(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of ``size`` of the values, the last one shorter."""
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk
