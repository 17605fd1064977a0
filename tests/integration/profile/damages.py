"""Ways in which the bytes of a stored profile can be other than what was written."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec

from tests.integration.profile.shop import NOW, PEOPLE, Shop, Whole, config, make_events
from vitrine.domain.events import Event
from vitrine.domain.subject import Subject
from vitrine.profile import Profiles

ANN, BOB = PEOPLE[:2]


def unchecked(state: bytes) -> list[Any]:
    """The fields as an earlier version wrote them: without a checksum, which would tell every damage."""
    fields: list[Any] = msgspec.msgpack.decode(state)
    return fields[:22]


def field(number: int, change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Another value in a field, which may well be read."""

    def damage(state: bytes) -> bytes:
        fields = unchecked(state)
        fields[number] = change(fields[number])
        return msgspec.msgpack.encode(fields)

    return damage


def replaced(text: bytes) -> Callable[[bytes], bytes]:
    """No UTF-8 in the place of a text."""
    return lambda state: msgspec.msgpack.encode(unchecked(state)).replace(text, b"\xff\xfe\xfd\xfc")


def flipped(place: Callable[[bytes], int], bit: int) -> Callable[[bytes], bytes]:
    """One bit that is another, in a profile with a checksum."""

    def damage(state: bytes) -> bytes:
        at = place(state) % len(state)
        return state[:at] + bytes([state[at] ^ 1 << bit]) + state[at + 1 :]

    return damage


def _in_items(state: bytes) -> int:
    """Where the last cell of the columns of items lies."""
    cells: bytes = msgspec.msgpack.decode(state)[7]
    return state.index(cells) + len(cells) - 8


ahead_of_the_log = field(1, lambda _: 10**12)

# Stored as text all the same.
NO_TEXT = b"\xff\xfe\xfd"

DAMAGES: dict[str, Callable[[bytes], Any]] = {
    "empty": lambda _: b"",
    "not MessagePack": lambda _: b"\xc1",
    "half": lambda state: state[: len(state) // 2],
    "text": lambda _: "a profile",
    "text that is no UTF-8": lambda _: NO_TEXT,
    "a number": lambda _: 7,
    "the head alone": lambda _: msgspec.msgpack.encode([1, 3, "damage"]),
    "no UTF-8 in a list": replaced(b"lamp"),
    "no UTF-8 in the basket": replaced(b"vase"),
    "lists without end": lambda _: b"\xdc\x00\x16\x01\xc0" + b"\x91" * 100_000,
    "cells too many": field(7, lambda cells: cells + bytes(8)),
    "names too few": field(6, lambda _: ["lamp"]),
    "names too many": field(6, lambda _: [f"{n}" for n in range(9)]),
    "another item": field(21, lambda _: {"nowhere": [(NOW, 1.0)]}),
    "a recent time too few": field(18, lambda times: times[:-8]),
    "a recent event of no type": field(17, lambda types: b"\xc8" + types[1:]),
    "another format": lambda state: state[:3] + b"\x7f" + state[4:],
    "a bit of an interest": flipped(_in_items, 0),
    "a bit of the version": flipped(lambda _: 4, 1),
    "a bit of the checksum": flipped(lambda _: -1, 3),
}


def view(event_id: str, who: Subject) -> Event:
    return Event(event_id=event_id, subject=who.key, item_id="lamp", type=2, time=NOW)


def open_store(folder: Path, shop: Shop | None = None, **profile: float) -> Profiles:
    return Profiles.open(folder, config(**profile), (shop or Shop()).keys, lambda: NOW)


def filled(folder: Path, count: int = 120) -> Whole:
    """A store with a history of everybody, and what it answers."""
    whole, shop = Whole(), Shop()
    events = make_events(random.Random(11), 0, count)
    with closing(open_store(folder, shop)) as store:
        for start in range(0, count, 10):
            store.record(events[start : start + 10]).result()
            whole.record(events[start : start + 10])
    return whole


def harm(folder: Path, damage: Callable[[bytes], Any], *subjects: Subject) -> None:
    with closing(apsw.Connection(str(folder / "profile.db"))) as connection:
        for subject in subjects:
            key = ("default/" + subject.key,)
            state: bytes = connection.execute("SELECT state FROM profiles WHERE subject = ?", key).get
            damaged = damage(state)
            assert damaged != state
            connection.execute("UPDATE profiles SET state = ?2 WHERE subject = ?1", (*key, damaged))
            if damaged == NO_TEXT:
                connection.execute("UPDATE profiles SET state = CAST(state AS TEXT) WHERE subject = ?", key)


def stored(folder: Path) -> dict[str, bytes]:
    with closing(apsw.Connection(str(folder / "profile.db"))) as connection:
        return dict(connection.execute("SELECT subject, state FROM profiles"))
