"""Numbers for what items count as, so that a row of the log tells it in three bytes."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import msgspec

from vitrine.domain.items import ItemKeys

# How many are remembered, an eighth more or less; one that was forgotten gets another number.
CAPACITY = 100_000
# How many are stored: some 80 MB. What no event counted under for longest goes first, for only who uses a number that
# old is given another one. Nothing asks for it but counting again a profile that was damaged.
MAX_STORED = 1_000_000
# So many go at a time.
STEP = 1_000

# Answers category, brand and price band of an item, when the item is known. Any thread may ask.
ItemLookup = Callable[[str], ItemKeys | None]

encode_keys = msgspec.msgpack.Encoder().encode
decode_keys = msgspec.msgpack.Decoder(ItemKeys).decode


class KeyBook:
    """`ItemKeys` by number and the reverse; for the writing thread alone."""

    def __init__(self, rows: Iterable[tuple[int, bytes]] = (), first: int = 0) -> None:
        """Knows numbers and encoded keys, the latest first; ``first`` is the least number that is stored."""
        # Of keys that have several numbers, the latest. In the order of the numbers.
        self._numbers: dict[ItemKeys, int] = {}
        for number, blob in reversed(list(rows)):
            keys = decode_keys(blob)
            self._numbers.pop(keys, None)
            self._numbers[keys] = number
        self._last = max(self._numbers.values(), default=0)
        self._new: list[tuple[int, ItemKeys]] = []
        self._first = first
        # Below this number, none is needed any more; as of when the last number was `_asked`.
        self._needed = 0
        self._asked = -STEP

    def number(self, keys: ItemKeys | None) -> int:
        """The number of some keys, which may be new; 0 for none."""
        if keys is None:
            return 0
        number = self._numbers.get(keys)
        if number is None:
            self._last += 1
            number = self._numbers[keys] = self._last
            self._new.append((number, keys))
        return number

    def new(self) -> Sequence[tuple[int, bytes]]:
        """The numbers that are to be written, with the encoded keys."""
        return [(number, encode_keys(keys)) for number, keys in self._new]

    def expired(self, first_needed: Callable[[], int]) -> int:
        """The number below which all are to be deleted now; 0 for none.

        Args:
            first_needed: Answers the least number of an event that profiles on disk lack, 0 for none; asked rarely.
        """
        if self._last - self._first < MAX_STORED + STEP:
            return 0
        bound = self._first + STEP
        if bound > self._needed and self._last >= self._asked + STEP:
            self._asked = self._last
            # What is remembered may be given to the next event.
            remembered = next(iter(self._numbers.values()), self._last)
            self._needed = min(first_needed() or remembered, remembered)
        return bound if bound <= self._needed else 0

    def settle(self, expired: int) -> None:
        """They were written, and those below ``expired`` deleted."""
        self._first = max(self._first, expired)
        self._new.clear()
        if len(self._numbers) > CAPACITY + CAPACITY // 8:
            for keys in list(islice(self._numbers, len(self._numbers) - CAPACITY)):
                del self._numbers[keys]

    def undo(self) -> None:
        """They were not written."""
        for _, keys in self._new:
            del self._numbers[keys]
        self._new.clear()
