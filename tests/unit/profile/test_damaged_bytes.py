"""Whatever became of the bytes of a profile: what cannot be read is told in one way."""

import random
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


@pytest.mark.parametrize("seed", range(4))
def test_no_byte_that_changes_brings_anything_but_damage(seed: int) -> None:
    chance, sound = random.Random(seed), encoded()
    row = Row(10**9, 6, NOW + 99, "another", 1.0, 4.0, ItemKeys(("All",), "brand", "3"))
    noticed = 0
    for _ in range(600):
        blob = bytearray(sound)
        for _ in range(chance.choice([1, 1, 3, 20])):
            blob[chance.randrange(len(blob))] = chance.randrange(256)
        del blob[chance.choice([len(blob), chance.randrange(len(blob))]) :]
        with suppress(Damaged):
            version_of(bytes(blob))
        try:
            to_profile(caught_up(bytes(blob), [row], RULES), RULES, Subject("1"))
        except DAMAGE:
            noticed += 1
    assert noticed > 300
