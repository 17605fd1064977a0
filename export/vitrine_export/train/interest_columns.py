"""What the interest model says of lists to learn from: item vectors and the two interests of each list's shopper."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vitrine.content.model import Vectors
from vitrine.plugin import Batch


@dataclass(frozen=True, slots=True)
class InterestColumns:
    """Of q lists with n candidates. Vectors of different windows come from different fits and do not compare.

    Attributes:
        table: ``float32[m, d]``, vectors of the items that occur.
        rows: ``int32[n]``, row of the table for each candidate; −1 for an item without a vector.
        short: ``float32[q, d]``, short-term interest of each list's shopper; zero for none.
        long: ``float32[q, d]``, the long-term one.
    """

    table: Vectors
    rows: npt.NDArray[np.int32]
    short: Vectors
    long: Vectors

    @property
    def dimensions(self) -> int:
        """Length d of a vector."""
        return int(self.table.shape[1])

    @classmethod
    def joined(cls, parts: Sequence["InterestColumns | None"]) -> "InterestColumns | None":
        """Of several windows, one after the other; ``None`` when one of them lacks an interest model."""
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        begins = np.cumsum([0, *(len(part.table) for part in known[:-1])])
        rows = [
            np.where(part.rows >= 0, part.rows + begin, -1)
            for part, begin in zip(known, begins.tolist(), strict=True)
        ]
        return cls(
            np.concatenate([part.table for part in known]),
            np.concatenate(rows).astype(np.int32),
            np.concatenate([part.short for part in known]),
            np.concatenate([part.long for part in known]),
        )

    def take(self, candidates: npt.NDArray[np.integer], lists: npt.NDArray[np.intp]) -> "InterestColumns":
        """Some candidates of some lists; the table is shared."""
        return InterestColumns(self.table, self.rows[candidates], self.short[lists], self.long[lists])

    def items(self, candidates: npt.NDArray[np.integer]) -> Vectors:
        """``float32[m, d]``: vectors of some candidates; zero where there is none."""
        return gather(self.table, self.rows[candidates])


@dataclass(slots=True)
class CollectedInterests:
    """Gathers the columns batch by batch.

    Attributes:
        table: Vectors of the catalogue, ``float32[c, d]``; ``None`` when the bundle has no interest model.
    """

    table: Vectors | None
    _rows: list[npt.NDArray[np.int32]] = field(default_factory=list)
    _short: list[Vectors] = field(default_factory=list)
    _long: list[Vectors] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """The lists of one more batch."""
        if self.table is None:
            return
        interests = batch.features.interests()
        nothing = np.zeros((len(batch.profiles), self.table.shape[1]), np.float32)
        rows = batch.items.rows
        self._rows.append(np.where(rows < len(self.table), rows, np.int32(-1)))
        self._short.append(nothing if interests is None else interests.short)
        self._long.append(nothing if interests is None else interests.long)

    def columns(self) -> InterestColumns | None:
        """All of them; of the catalogue's vectors only those that occur."""
        if self.table is None:
            return None
        none = np.zeros((0, self.table.shape[1]), np.float32)
        rows = np.concatenate([np.empty(0, np.int32), *self._rows])
        used = np.unique(rows[rows >= 0])
        compact = np.where(rows >= 0, np.searchsorted(used, rows), -1).astype(np.int32)
        return InterestColumns(
            self.table[used],
            compact,
            np.concatenate([none, *self._short]),
            np.concatenate([none, *self._long]),
        )


def gather(table: Vectors, rows: npt.NDArray[np.integer]) -> Vectors:
    """``float32[m, d]``: the vectors of some rows, zero for −1."""
    if not len(table):
        return np.zeros((len(rows), table.shape[1]), np.float32)
    vectors: Vectors = table.take(np.maximum(rows, 0), axis=0)
    vectors[rows < 0] = 0
    return vectors
