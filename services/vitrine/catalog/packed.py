"""Items by row as MessagePack: as they were handed over, or where the store has them."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, overload

import msgspec
import numpy as np
import numpy.typing as npt


class Block(NamedTuple):
    """Items of rows that follow one another: their bytes, and ``int64[k]`` where each ends."""

    data: memoryview
    ends: npt.NDArray[np.int64]


class _Titled(msgspec.Struct, array_like=True):
    """What `vitrine.domain.items.Item` begins with."""

    item_id: str
    title: str


_decode = msgspec.msgpack.Decoder(_Titled).decode


class PackedItems:
    """Any thread may read while one changes."""

    def __init__(self) -> None:
        # Nothing where the item is in a block.
        self._own: list[bytes | None] = []
        self._starts: list[int] = []
        self._blocks: list[Block] = []

    def __len__(self) -> int:
        return len(self._own)

    def __getitem__(self, row: int) -> bytes | memoryview:
        own = self._own[row]
        if own is not None:
            return own
        number = bisect_right(self._starts, row) - 1
        data, ends = self._blocks[number]
        place = row - self._starts[number]
        return data[ends[place - 1] if place else 0 : ends[place]]

    def __setitem__(self, row: int, data: bytes) -> None:
        self._own[row] = data

    def grow(self, rows: int) -> None:
        """Has at least so many rows; the items of new ones come next."""
        self._own += [b""] * (rows - len(self._own))

    def add(self, block: Block) -> None:
        """Adds the rows of a block."""
        self._starts.append(len(self._own))
        self._blocks.append(block)
        self._own += [None] * len(block.ends)


class Titles(Sequence[str]):
    """The titles of items by row, read when they are asked for."""

    def __init__(self, packed: PackedItems) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[r] for r in range(len(self))[row]]
        return _decode(self._packed[row]).title
