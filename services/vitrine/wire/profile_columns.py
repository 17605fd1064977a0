"""Columns of a profile, out of protobuf. All of one kind become one array: one for each would cost more than the copying."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.profile import Counters, ItemHistory, RecentEvents
from vitrine.errors import InvalidInput

_NUMBERS = ("views", "in_cart", "purchases", "quantity", "long_term", "short_term")
_COUNTED = ("counts", "long_term", "short_term")
_COUNTERS = ("event_types", "categories", "brands", "price_bands")


def columns_from_proto(message: profile_pb2.Profile, field: str) -> dict[str, Any]:
    """The columns of a profile as fields of `Profile`, read-only; ``field`` is its path.

    Raises:
        InvalidInput: They are not of one length, or have a value that is not valid.
    """
    numbers, moments = _Block("d"), _Block("q")
    items, recent = message.items, message.recent
    n, r = len(items.item_ids), len(recent.item_ids)
    counters = [(name, getattr(message, name)) for name in _COUNTERS]
    if n:
        moments.add(items, ("last_time_micros", "last_purchase_micros"), n, f"{field}.items")
        numbers.add(items, _NUMBERS, n, f"{field}.items")
    if r:
        moments.add(recent, ("time_micros",), r, f"{field}.recent")
    for name, counted in counters:
        if size := len(counted.keys):
            numbers.add(counted, _COUNTED, size, f"{field}.{name}")
            moments.add(counted, ("last_time_micros",), size, f"{field}.{name}")
    # Taken in the order in which they were added.
    take, when = numbers.parts(1.0), moments.parts(1e6)
    history, latest = ItemHistory(), RecentEvents()
    if n:
        history = ItemHistory(
            tuple(items.item_ids[:]),
            last_time=when(n),
            last_purchase=when(n),
            **{name: take(n) for name in _NUMBERS},
            rating=column(items.rating, np.float32, n, f"{field}.items.rating"),
            opinion=column(items.opinion, np.int8, n, f"{field}.items.opinion"),
        )
    if r:
        types = column(recent.types, np.int8, r, f"{field}.recent.types")
        latest = RecentEvents(tuple(recent.item_ids[:]), types, when(r))
    read: dict[str, Any] = {"items": history, "recent": latest}
    for name, counted in counters:
        size = len(counted.keys)
        read[name] = Counters(tuple(counted.keys[:]), take(size), take(size), take(size), when(size))
    return read


def column(values: Sequence[Any], dtype: type[Any], n: int, field: str) -> npt.NDArray[Any]:
    """A packed column as an array; slicing first copies it out of protobuf at once."""
    if len(values) != n:
        raise _uneven(field, len(values), n)
    try:
        made = np.array(values[:], dtype)
    except OverflowError:
        raise InvalidInput(field, f"has a value that is no {np.dtype(dtype)}") from None
    # Only ratings, which are float32, may be NaN: never rated.
    if dtype is np.float64 and not np.isfinite(made).all():
        raise _not_finite(field)
    return made


class _Block:
    """Columns of ``double``, or of ``int64``: "d" or "q", as `struct` says it."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._values: list[Any] = []
        # The message and the name of each, and where it ends.
        self._told: list[tuple[str, str, int]] = []

    def add(self, message: Any, names: Sequence[str], n: int, field: str) -> None:
        """Adds columns of n numbers each; ``field`` is the path of their message."""
        for name in names:
            values = getattr(message, name)[:]
            if len(values) != n:
                raise _uneven(f"{field}.{name}", len(values), n)
            self._values += values
            self._told.append((field, name, len(self._values)))

    def parts(self, unit: float) -> Callable[[int], npt.NDArray[np.float64]]:
        """What answers the next so many numbers, divided by ``unit``."""
        # Quicker than `np.array`, which looks for the type of each number first.
        packed = struct.pack(f"{len(self._values)}{self._code}", *self._values)
        table: npt.NDArray[np.float64] = np.frombuffer(packed, self._code) / unit
        if not (finite := np.isfinite(table)).all():
            bad = int(finite.argmin())
            raise _not_finite(next(f"{path}.{name}" for path, name, end in self._told if bad < end))
        table.flags.writeable = False
        at = 0

        def take(n: int) -> npt.NDArray[np.float64]:
            nonlocal at
            start, at = at, at + n
            return table[start:at]

        return take


def _uneven(field: str, have: int, n: int) -> InvalidInput:
    return InvalidInput(field, f"has {have} values for {n} keys; columns are parallel")


def _not_finite(field: str) -> InvalidInput:
    return InvalidInput(field, "has a value that is NaN or infinite; send the profile as you received it")
