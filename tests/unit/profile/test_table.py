"""Tables find their rows however they came about, and stay packed until somebody asks for a key."""

import msgspec
import pytest

from vitrine.errors import Unavailable
from vitrine.profile.encoding import decode_state, encode_state
from vitrine.profile.state import ProfileState
from vitrine.profile.table import Table


def test_rows_are_found_before_and_after_the_dictionary_is_made() -> None:
    table = Table(1)
    for row in range(30):
        assert table.find(f"k{row}") == -1
        assert table.add(f"k{row}", (float(row),)) == row
        assert [table.find(f"k{known}") for known in (0, row)] == [0, row]
    assert len(table) == 30


def test_what_nobody_asks_for_stays_packed_and_is_stored_as_it_was() -> None:
    state = ProfileState()
    state.brands.add("木", (1.0, 1.0, 1.0, 5.0))
    blob = encode_state(state)
    again = decode_state(blob)
    assert not isinstance(again.brands.stored, list)
    assert encode_state(again) == blob
    assert again.brands.keys == ["木"]
    assert encode_state(again) == blob


def test_damaged_keys_say_what_to_do() -> None:
    table = Table(1, msgspec.Raw(msgspec.msgpack.encode([1, 2])))
    with pytest.raises(Unavailable, match="restore the store from a backup"):
        table.find("k")
