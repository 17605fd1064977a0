"""The latest events of a shopper in order of time."""

from array import array
from bisect import bisect_left, bisect_right
from zlib import crc32

import msgspec

from vitrine.domain.events import EventType
from vitrine.profile.damage import damaged
from vitrine.profile.strings import Strings, unpack

_TYPES = bytes(EventType)


def _no_times() -> "array[float]":
    return array("d")


class Recent(msgspec.Struct, gc=False, eq=False):
    """Parallel columns, earliest first.

    Events of the same moment stand in the order of a hash: neither their order of arrival nor the order of
    identifiers may tell anything.

    Attributes:
        types: `EventType` numbers.
        times: Unix seconds UTC.
        stored: `items`, packed until they are asked for.
    """

    stored: Strings = []
    types: bytearray = msgspec.field(default_factory=bytearray)
    times: "array[float]" = msgspec.field(default_factory=_no_times)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def items(self) -> list[str]:
        """Identifiers; empty for a search without one.

        Raises:
            Damaged: What is stored makes no sense.
        """
        items = self.stored
        if not isinstance(items, list):
            if len(self.types) != len(self.times) or self.types.translate(None, _TYPES):
                raise damaged()
            items = self.stored = unpack(items, len(self.types))
        return items

    def add(self, item_id: str, event_type: int, time: float) -> None:
        """Inserts an event where its time puts it; see `trim`."""
        items, times = self.items, self.times
        if not times or time > times[-1]:
            items.append(item_id)
            self.types.append(event_type)
            times.append(time)
        else:
            at = self._place(item_id, event_type, time)
            items.insert(at, item_id)
            self.types.insert(at, event_type)
            times.insert(at, time)

    def trim(self, cap: int) -> None:
        """Forgets the earliest beyond ``cap``."""
        if (excess := len(self.times) - cap) > 0:
            del self.items[:excess], self.types[:excess], self.times[:excess]

    def _place(self, item_id: str, event_type: int, time: float) -> int:
        low, high = bisect_left(self.times, time), bisect_right(self.times, time)
        items, key = self.items, tie_key(item_id, event_type)
        while low < high:
            middle = (low + high) // 2
            if tie_key(items[middle], self.types[middle]) < key:
                low = middle + 1
            else:
                high = middle
        return low


def tie_key(item_id: str, salt: int = 0) -> tuple[int, int, str]:
    """Orders what has the same time, the same on every machine and unrelated to the identifier's own order."""
    return crc32(item_id.encode(), salt), salt, item_id
