"""A profile as bytes: MessagePack around packed columns (little-endian), so that reading copies whole columns."""

import sys

import msgspec

from vitrine.errors import Unavailable
from vitrine.profile.cart import Move
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
    item_ids: list[str]
    items: bytes
    type_names: list[str]
    types: bytes
    category_names: list[str]
    categories: bytes
    brand_names: list[str]
    brands: bytes
    band_names: list[str]
    bands: bytes
    recent_items: list[str]
    recent_types: bytes
    recent_times: bytes
    opinions: dict[str, tuple[float, int]]
    ratings: dict[str, tuple[float, float]]
    carts: dict[str, list[Move]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def encode_state(state: ProfileState) -> bytes:
    """The state as bytes."""
    return _encoder.encode(
        (
            SCHEMA_VERSION,
            state.version,
            state.event_count,
            state.first_time,
            state.last_time,
            sorted(state.purchase_days),
            state.items.keys,
            state.items.cells.tobytes(),
            state.types.keys,
            state.types.cells.tobytes(),
            state.categories.keys,
            state.categories.cells.tobytes(),
            state.brands.keys,
            state.brands.cells.tobytes(),
            state.price_bands.keys,
            state.price_bands.cells.tobytes(),
            state.recent.items,
            state.recent.types,
            state.recent.times.tobytes(),
            state.opinions,
            state.ratings,
            state.carts,
        )
    )


def decode_state(blob: bytes) -> ProfileState:
    """The inverse of `encode_state`.

    Raises:
        Unavailable: The bytes are damaged or were written by a newer version.
    """
    try:
        stored = _decoder.decode(blob)
    except msgspec.MsgspecError:
        raise Unavailable("a stored profile cannot be read; restore the store from a backup") from None
    if stored.schema > SCHEMA_VERSION:
        raise Unavailable("a stored profile was written by a newer version; upgrade this server")
    state = ProfileState.__new__(ProfileState)
    state.version = stored.version
    state.event_count = stored.event_count
    state.first_time = stored.first_time
    state.last_time = stored.last_time
    state.purchase_days = set(stored.purchase_days)
    state.items = Table(ITEM_WIDTH, stored.item_ids, stored.items)
    state.types = Table(COUNTER_WIDTH, stored.type_names, stored.types)
    state.categories = Table(COUNTER_WIDTH, stored.category_names, stored.categories)
    state.brands = Table(COUNTER_WIDTH, stored.brand_names, stored.brands)
    state.price_bands = Table(COUNTER_WIDTH, stored.band_names, stored.bands)
    state.recent = Recent(stored.recent_items, stored.recent_types, stored.recent_times)
    state.opinions = stored.opinions
    state.ratings = stored.ratings
    state.carts = stored.carts
    return state
