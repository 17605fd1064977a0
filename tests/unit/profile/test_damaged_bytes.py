"""Whatever became of the bytes of a profile: what cannot be read is told in one way."""

import random
import struct
from contextlib import suppress

import msgspec
import pytest

from vitrine.config import load_config
from vitrine.decoding import UNREADABLE
from vitrine.domain.events import Event
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.profile.columns import to_profile
from vitrine.profile.damage import DAMAGE, Damaged
from vitrine.profile.encoding import decode_state, encode_state, version_of
from vitrine.profile.lag import caught_up
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState

RULES = Rules.of(load_config().profile)
NOW = 1_700_000_000.0


def encoded() -> bytes:
    state = ProfileState()
    for n in range(60):
        event = Event(
            event_id=f"{n}",
            subject="u:1",
            item_id=f"Ümlaut {n % 9}",
            type=1 + n % 11,
            time=NOW + n,
            rating=n % 5,
        )
        state.apply(event, ItemKeys(("All", f"All > {n % 7}"), "brand", "3"), RULES)
        state.version = n + 1
    return encode_state(state)


@pytest.mark.parametrize(
    "bytes_of",
    [
        pytest.param(lambda: msgspec.msgpack.encode("ä").replace(b"\xc3", b"\xff"), id="no UTF-8"),
        pytest.param(lambda: b"\x91" * 100_000, id="lists without end"),
        pytest.param(lambda: b"\xc1", id="no MessagePack"),
    ],
)
def test_what_msgspec_raises_of_bytes_without_sense_is_known(bytes_of: object) -> None:
    assert callable(bytes_of)
    with pytest.raises(UNREADABLE):
        msgspec.msgpack.decode(bytes_of())


def test_a_name_that_is_no_utf_8_is_damage() -> None:
    blob = encoded().replace("Ü".encode(), b"\xff\xff")
    with pytest.raises(Damaged):
        decode_state(blob.replace(b"\x93\xcb", b"\x93\xc1"))
    with pytest.raises(DAMAGE):
        to_profile(decode_state(blob), RULES, Subject("1"))


def unchecked(blob: bytes) -> bytes:
    """As an earlier version wrote it, without the checksum."""
    return msgspec.msgpack.encode(msgspec.msgpack.decode(blob)[:-1])


def test_each_bit_that_is_flipped_is_damage() -> None:
    sound = encoded()
    for place in range(len(sound)):
        for bit in range(8):
            blob = bytearray(sound)
            blob[place] ^= 1 << bit
            with pytest.raises(Damaged):
                decode_state(bytes(blob))


def test_a_profile_of_an_earlier_version_has_no_checksum_and_gets_one() -> None:
    old = unchecked(encoded())
    assert encode_state(decode_state(old)) == encode_state(decode_state(encoded()))
    # A number that is another, and makes as much sense.
    assert decode_state(old.replace(struct.pack("<d", NOW + 59), struct.pack("<d", NOW + 58))).version == 60


def test_what_an_earlier_version_reads_is_what_was_written() -> None:
    fields: list[object] = msgspec.msgpack.decode(encoded())
    assert len(fields) == 23
    again = decode_state(encoded())
    assert fields[:6] == [1, 60, 60, NOW, NOW + 59, sorted(again.purchase_days)]
    assert fields[7] == again.items.cells.tobytes()


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_no_byte_that_changes_brings_anything_but_damage(seed: int, checked: bool) -> None:
    chance, sound = random.Random(seed), encoded() if checked else unchecked(encoded())
    row = Row(10**9, 6, NOW + 99, "another", 1.0, 4.0, ItemKeys(("All",), "brand", "3"))
    noticed = changed = 0
    for _ in range(600):
        blob = bytearray(sound)
        for _ in range(chance.choice([1, 1, 3, 20])):
            blob[chance.randrange(len(blob))] = chance.randrange(256)
        del blob[chance.choice([len(blob), chance.randrange(len(blob))]) :]
        changed += blob != sound
        with suppress(Damaged):
            version_of(bytes(blob))
        try:
            to_profile(caught_up(bytes(blob), [row], RULES), RULES, Subject("1"))
        except DAMAGE:
            noticed += 1
    assert noticed == changed if checked else noticed > 300
