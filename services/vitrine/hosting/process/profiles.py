"""Profiles on their way to another process, as the bytes of their columns: one as a frame, or some inside that of a call."""

from collections.abc import Iterator, Sequence
from typing import overload

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.domain.profile import Counters, ItemHistory, Profile, RecentEvents
from vitrine.domain.subject import Subject
from vitrine.hosting.process.cells import Cells
from vitrine.hosting.process.frames import join, split

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
_COUNTERS = ("event_types", "categories", "brands", "price_bands")
_COUNTER = ("counts", "long_term", "short_term", "last_time")


class _Told(msgspec.Struct, array_like=True, gc=False):
    at: tuple[int, int, int]
    subject: Subject | None
    version: int
    watermark: int
    event_count: int
    first_time: float
    last_time: float
    purchase_days: int
    long_half_life: float
    short_half_life: float
    item_ids: list[str]
    recent_ids: list[str]
    keys: tuple[list[str], list[str], list[str], list[str]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Told).decode
_decode_alone = msgspec.msgpack.Decoder(tuple[tuple[int, int, int], _Told]).decode


def pack(profile: Profile) -> bytes:
    """A profile as a frame.

    Raises:
        ValueError: A column has not the length that it should have, or all are longer than a frame may be.
    """
    cells = Cells()
    told = add_profile(profile, cells)
    return join(_encode((cells.counts, told)), cells.parts)


def unpack(frame: bytes) -> Profile:
    """The inverse; its arrays are read-only views of the frame, which the same program has made."""
    text, at = split(frame)
    counts, told = _decode_alone(text)
    return _profile(told, *columns(frame, at, counts))


def columns(
    frame: bytes, at: int, counts: tuple[int, int, int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """The cells of a frame that begin at some place, by width: so many of 8, of 4 and of 1 byte."""
    wide, middle, narrow = counts
    return (
        np.frombuffer(frame, "<f8", wide, at),
        np.frombuffer(frame, "<f4", middle, at + 8 * wide),
        np.frombuffer(frame, "|i1", narrow, at + 8 * wide + 4 * middle),
    )


def add_profile(profile: Profile, cells: Cells) -> tuple[object, ...]:
    """Adds the columns of a profile; what else there is of it, for the head."""
    at = cells.counts
    items, recent = profile.items, profile.recent
    n, r = len(items), len(recent)
    if n:
        for name in _ITEMS:
            cells.add(getattr(items, name), "<f8", n)
        cells.add(items.rating, "<f4", n)
        cells.add(items.opinion, "|i1", n)
    if r:
        cells.add(recent.times, "<f8", r)
        cells.add(recent.types, "|i1", r)
    keys = []
    for name in _COUNTERS:
        counters: Counters = getattr(profile, name)
        keys.append(_list(counters.keys))
        if len(counters):
            for column in _COUNTER:
                cells.add(getattr(counters, column), "<f8", len(counters))
    return (
        at,
        profile.subject,
        profile.version,
        profile.watermark,
        profile.event_count,
        profile.first_time,
        profile.last_time,
        profile.purchase_days,
        profile.long_half_life,
        profile.short_half_life,
        _list(items.item_ids),
        _list(recent.item_ids),
        keys,
    )


class LazyProfiles(Sequence[Profile]):
    """Profiles that are made when they are asked for, and kept: most plugins never look at them."""

    def __init__(
        self,
        told: list[msgspec.Raw],
        f8: npt.NDArray[np.float64],
        f4: npt.NDArray[np.float32],
        i1: npt.NDArray[np.int8],
    ) -> None:
        self._told = told
        self._cells = (f8, f4, i1)
        self._made: list[Profile | None] = [None] * len(told)

    def __len__(self) -> int:
        return len(self._told)

    def __iter__(self) -> Iterator[Profile]:
        return map(self._get, range(len(self._told)))

    @overload
    def __getitem__(self, at: int) -> Profile: ...
    @overload
    def __getitem__(self, at: slice) -> list[Profile]: ...
    def __getitem__(self, at: int | slice) -> Profile | list[Profile]:
        places = range(len(self._told))[at]
        return self._get(places) if isinstance(places, int) else [self._get(place) for place in places]

    def _get(self, at: int) -> Profile:
        made = self._made[at]
        if made is None:
            made = self._made[at] = _profile(_decode(self._told[at]), *self._cells)
        return made


def _profile(
    told: _Told, f8: npt.NDArray[np.float64], f4: npt.NDArray[np.float32], i1: npt.NDArray[np.int8]
) -> Profile:
    wide, middle, narrow = told.at
    n, r = len(told.item_ids), len(told.recent_ids)
    table = f8[wide : wide + len(_ITEMS) * n].reshape(len(_ITEMS), n)
    wide += len(_ITEMS) * n
    times = f8[wide : wide + r]
    wide += r
    counters = {}
    for name, keys in zip(_COUNTERS, told.keys, strict=True):
        size = len(keys)
        columns = f8[wide : wide + len(_COUNTER) * size].reshape(len(_COUNTER), size)
        counters[name] = Counters(keys, **dict(zip(_COUNTER, columns, strict=True)))
        wide += len(_COUNTER) * size
    return Profile(
        subject=told.subject,
        version=told.version,
        watermark=told.watermark,
        event_count=told.event_count,
        first_time=told.first_time,
        last_time=told.last_time,
        purchase_days=told.purchase_days,
        items=ItemHistory(
            told.item_ids,
            **dict(zip(_ITEMS, table, strict=True)),
            rating=f4[middle : middle + n],
            opinion=i1[narrow : narrow + n],
        ),
        recent=RecentEvents(told.recent_ids, i1[narrow + n : narrow + n + r], times),
        **counters,
        long_half_life=told.long_half_life,
        short_half_life=told.short_half_life,
    )


def _list(strings: Sequence[str]) -> Sequence[str]:
    return strings if isinstance(strings, list | tuple) else list(strings)
