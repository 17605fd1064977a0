"""Numbers for what items count as, so that a row of the log tells it in three bytes."""

from collections.abc import Iterable, Sequence

import msgspec

from vitrine.domain.items import ItemKeys

# How many are remembered; one that was forgotten gets another number.
CAPACITY = 100_000

encode_keys = msgspec.msgpack.Encoder().encode
decode_keys = msgspec.msgpack.Decoder(ItemKeys).decode


class KeyBook:
    """`ItemKeys` by number and the reverse; for the writing thread alone."""

    def __init__(self, rows: Iterable[tuple[int, bytes]] = ()) -> None:
        """Knows numbers and encoded keys, the latest first."""
        # Of keys that have several numbers, the latest.
        self._numbers = {decode_keys(keys): number for number, keys in reversed(list(rows))}
        self._last = max(self._numbers.values(), default=0)
        self._new: list[tuple[int, ItemKeys]] = []

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

    def settle(self, *, written: bool) -> None:
        """They were, or else are forgotten."""
        if not written:
            for _, keys in self._new:
                del self._numbers[keys]
        elif len(self._numbers) > CAPACITY:
            self._numbers.clear()
        self._new.clear()
