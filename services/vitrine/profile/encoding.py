"""A profile as bytes: MessagePack around packed columns (little-endian), so that reading copies whole columns.

The last field is a checksum of all bytes before its four: most of a profile is numbers, and a flipped bit in one of them
makes as much sense as before. Profiles that an earlier version wrote have none and are taken as they are, until their
shoppers are next written; an earlier version does not look at it.
"""

import sys
from array import array
from zlib import crc32

import msgspec

from vitrine.decoding import UNREADABLE
from vitrine.profile.cart import Move
from vitrine.profile.damage import damaged
from vitrine.profile.recent import Recent
from vitrine.profile.state import ITEM_WIDTH, ProfileState
from vitrine.profile.table import COUNTER_WIDTH, Table

SCHEMA_VERSION = 1

if sys.byteorder != "little":
    raise ImportError("vitrine.profile stores little-endian columns and runs on little-endian machines only")


class _Stored(msgspec.Struct, array_like=True, gc=False):
    schema: int
    version: int
    event_count: int
    first_time: float
    last_time: float
    purchase_days: list[int]
    item_ids: msgspec.Raw
    items: bytes
    type_names: msgspec.Raw
    types: bytes
    category_names: msgspec.Raw
    categories: bytes
    brand_names: msgspec.Raw
    brands: bytes
    band_names: msgspec.Raw
    bands: bytes
    recent_items: msgspec.Raw
    recent_types: bytes
    recent_times: bytes
    opinions: dict[str, tuple[float, int]]
    ratings: dict[str, tuple[float, float]]
    carts: dict[str, list[Move]]
    checksum: int = 0


class _Head(msgspec.Struct, array_like=True, gc=False):
    schema: int
    version: int


# How a profile with a checksum begins: an array of so many fields.
_CHECKED = b"\xdc\x00\x17"
# In the place of the checksum until it is known: its bytes are the last four.
_UNKNOWN = 0xFFFFFFFF
# Bytes of an unsigned integer by the byte before it.
_INTEGERS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)
_head = msgspec.msgpack.Decoder(_Head)


def encode_state(state: ProfileState) -> bytes:
    """The state as bytes."""
    body = _encoder.encode(
        (
            SCHEMA_VERSION,
            state.version,
            state.event_count,
            state.first_time,
            state.last_time,
            sorted(state.purchase_days),
            state.items.stored,
            state.items.cells.tobytes(),
            state.types.stored,
            state.types.cells.tobytes(),
            state.categories.stored,
            state.categories.cells.tobytes(),
            state.brands.stored,
            state.brands.cells.tobytes(),
            state.price_bands.stored,
            state.price_bands.cells.tobytes(),
            state.recent.stored,
            state.recent.types,
            state.recent.times.tobytes(),
            state.opinions,
            state.ratings,
            state.carts,
            _UNKNOWN,
        )
    )[:-4]
    return body + crc32(body).to_bytes(4, "big")


def decode_state(blob: bytes) -> ProfileState:
    """The inverse of `encode_state`; lists of strings are unpacked when somebody asks for them.

    Raises:
        Damaged: The bytes are not those that were written, or make no sense. What makes none in a list of strings is
            told when that is unpacked.
    """
    if blob.startswith(_CHECKED) and crc32(memoryview(blob)[:-4]) != int.from_bytes(blob[-4:], "big"):
        raise damaged()
    try:
        stored = _decoder.decode(blob)
        # Another form of profiles comes with other tables, which older servers refuse: see `schema`.
        if stored.schema != SCHEMA_VERSION:
            raise damaged()
        return ProfileState(
            version=stored.version,
            event_count=stored.event_count,
            first_time=stored.first_time,
            last_time=stored.last_time,
            purchase_days=set(stored.purchase_days),
            items=Table(ITEM_WIDTH, stored.item_ids, array("d", stored.items)),
            types=Table(COUNTER_WIDTH, stored.type_names, array("d", stored.types)),
            categories=Table(COUNTER_WIDTH, stored.category_names, array("d", stored.categories)),
            brands=Table(COUNTER_WIDTH, stored.brand_names, array("d", stored.brands)),
            price_bands=Table(COUNTER_WIDTH, stored.band_names, array("d", stored.bands)),
            recent=Recent(
                stored.recent_items, bytearray(stored.recent_types), array("d", stored.recent_times)
            ),
            opinions=stored.opinions,
            ratings=stored.ratings,
            carts=stored.carts,
        )
    # Columns of half a number, or something else than bytes.
    except (*UNREADABLE, ValueError, TypeError):
        raise damaged() from None


def version_of(blob: bytes | None) -> int:
    """The version of an encoded state, without decoding or checking the rest; 0 when there is none.

    Raises:
        Damaged: The bytes make no sense.
    """
    if blob is None:
        return 0
    # The second of what is more than 15 fields, after one that is less than 128: see the MessagePack specification.
    try:
        size = _INTEGERS.get(blob[4]) if len(blob) > 13 and blob[0] == 0xDC else None
        if size is not None:
            return int.from_bytes(blob[5 : 5 + size], "big")
        return _head.decode(blob).version
    except (*UNREADABLE, TypeError):
        raise damaged() from None
