"""Profiles on their way to a worker: identifiers as they are, every column as its bytes."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.domain.profile import Counters, ItemHistory, Profile, RecentEvents
from vitrine.domain.subject import Subject

_COUNTERS = ("event_types", "categories", "brands", "price_bands")
_ITEMS = (
    "last_time",
    "last_purchase",
    "views",
    "in_cart",
    "purchases",
    "quantity",
    "long_term",
    "short_term",
)


class Packed(msgspec.Struct, array_like=True):
    """A profile; both ends are the same program on the same machine, so that bytes of columns need no conversion."""

    subject: tuple[str, bool] | None
    numbers: tuple[int, int, int, float, float, int, float, float]
    item_ids: Sequence[str]
    items: bytes
    rating: bytes
    opinion: bytes
    recent_ids: Sequence[str]
    recent_types: bytes
    recent_times: bytes
    counters: list[tuple[Sequence[str], bytes]]


def pack(profile: Profile) -> Packed:
    """As sent."""
    items, recent = profile.items, profile.recent
    return Packed(
        None if profile.subject is None else (profile.subject.id, profile.subject.anonymous),
        (
            profile.version,
            profile.watermark,
            profile.event_count,
            profile.first_time,
            profile.last_time,
            profile.purchase_days,
            profile.long_half_life,
            profile.short_half_life,
        ),
        items.item_ids,
        b"".join([getattr(items, name).tobytes() for name in _ITEMS]),
        items.rating.tobytes(),
        items.opinion.tobytes(),
        recent.item_ids,
        recent.types.tobytes(),
        recent.times.tobytes(),
        [_pack(getattr(profile, name)) for name in _COUNTERS],
    )


def unpack(packed: Packed) -> Profile:
    """As received; its arrays are read-only."""
    version, watermark, events, first, last, days, long, short = packed.numbers
    columns: dict[str, Any] = dict(
        zip(_ITEMS, _columns(packed.items, len(packed.item_ids), len(_ITEMS)), strict=True)
    )
    counters = dict(zip(_COUNTERS, map(_unpack, packed.counters), strict=True))
    return Profile(
        subject=None if packed.subject is None else Subject(*packed.subject),
        version=version,
        watermark=watermark,
        event_count=events,
        first_time=first,
        last_time=last,
        purchase_days=days,
        items=ItemHistory(
            packed.item_ids,
            **columns,
            rating=np.frombuffer(packed.rating, np.float32),
            opinion=np.frombuffer(packed.opinion, np.int8),
        ),
        recent=RecentEvents(
            packed.recent_ids,
            np.frombuffer(packed.recent_types, np.int8),
            np.frombuffer(packed.recent_times),
        ),
        long_half_life=long,
        short_half_life=short,
        **counters,
    )


def _pack(counters: Counters) -> tuple[Sequence[str], bytes]:
    columns = (counters.counts, counters.long_term, counters.short_term, counters.last_time)
    return counters.keys, b"".join([column.tobytes() for column in columns])


def _unpack(packed: tuple[Sequence[str], bytes]) -> Counters:
    keys, data = packed
    return Counters(keys, *_columns(data, len(keys), 4))


def _columns(data: bytes, n: int, count: int) -> list[npt.NDArray[np.float64]]:
    return list(np.frombuffer(data).reshape(count, n))
