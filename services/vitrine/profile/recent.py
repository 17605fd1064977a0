"""The latest events of a shopper in order of time."""

from array import array
from bisect import bisect_left, bisect_right
from zlib import crc32


class Recent:
    """Parallel columns, earliest first.

    Events of the same moment stand in the order of a hash: neither their order of arrival nor the order of
    identifiers may tell anything.

    Attributes:
        items: Identifiers; empty for a search without one.
        types: `EventType` numbers.
        times: Unix seconds UTC.
    """

    __slots__ = ("items", "times", "types")

    def __init__(self, items: list[str] | None = None, types: bytes = b"", times: bytes = b"") -> None:
        self.items: list[str] = [] if items is None else items
        self.types = bytearray(types)
        self.times = array("d", times)

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item_id: str, event_type: int, time: float, cap: int) -> None:
        """Inserts an event where its time puts it and forgets the earliest beyond ``cap``."""
        times = self.times
        if not times or time > times[-1]:
            self.items.append(item_id)
            self.types.append(event_type)
            times.append(time)
        else:
            at = self._place(item_id, event_type, time)
            if at == 0 and len(times) >= cap:
                return
            self.items.insert(at, item_id)
            self.types.insert(at, event_type)
            times.insert(at, time)
        if (excess := len(times) - cap) > 0:
            del self.items[:excess], self.types[:excess], times[:excess]

    def _place(self, item_id: str, event_type: int, time: float) -> int:
        low, high = bisect_left(self.times, time), bisect_right(self.times, time)
        key = tie_key(item_id, event_type)
        while low < high:
            middle = (low + high) // 2
            if tie_key(self.items[middle], self.types[middle]) < key:
                low = middle + 1
            else:
                high = middle
        return low


def tie_key(item_id: str, salt: int = 0) -> tuple[int, int, str]:
    """Orders what has the same time, the same on every machine and unrelated to the identifier's own order."""
    return crc32(item_id.encode(), salt), salt, item_id
