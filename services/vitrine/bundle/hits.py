"""Entries of item-item tables that lead from some items to some candidates: few of many, kept as columns."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.bundle.scratch import kept_places

Rows = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
T = TypeVar("T", bound=np.generic)


class Entries(NamedTuple):
    """All entries of r known rows, one row after the other.

    Attributes:
        known: ``int64[r]``, which of the rows of the call each is.
        starts: ``int64[r]``, where its entries begin.
        lengths: ``int64[r]``, how many they are.
    """

    known: Ints
    starts: Ints
    lengths: Ints

    def of(self, table: npt.NDArray[T]) -> npt.NDArray[T]:
        """A column of theirs. Rows are long: to copy each whole takes half the time of looking entries up."""
        if not len(self.starts) or not len(table):
            return table[:0]
        # They lie far apart in a large file: one gather waits for all of them at once, copies for one after the other.
        table.take(self.starts, mode="clip")
        stops = (self.starts + self.lengths).tolist()
        rows = [table[start:stop] for start, stop in zip(self.starts.tolist(), stops, strict=True)]
        return np.concatenate(rows)


class Hits(NamedTuple):
    """k entries that lead from h rows to m candidates.

    Attributes:
        rows: ``int32[h]``.
        candidates: ``int32[m]``, repeats allowed.
        source: ``int64[k]``, which of the rows each is of.
        target: ``int32[k]``, 1 + the position of the candidate, of a repeated one the last.
        weights: ``float32[k]``.
        own: ``int32[m]``, the target of each candidate, which none has that is −1: that is 0, and no entry's.
    """

    rows: Rows
    candidates: Rows
    source: Ints
    target: Rows
    weights: Scores
    own: Rows

    def of_rows(self, rows: Rows) -> "Hits | None":
        """Those of some of the rows, each told once; nothing where it is not one of these."""
        if not len(self.rows):
            return None
        first = (rows[:, None] == self.rows).argmax(axis=1)
        if self.rows.take(first).tobytes() != rows.tobytes():
            return None
        numbers = np.full(len(self.rows), -1)
        numbers[first] = np.arange(len(rows))
        source = numbers.take(self.source)
        some = (source >= 0).nonzero()[0]
        return Hits(
            rows,
            self.candidates,
            source.take(some),
            self.target.take(some),
            self.weights.take(some),
            self.own,
        )

    def of_candidates(self, candidates: Rows, size: int) -> "Hits | None":
        """Those that lead to some of the candidates; nothing where one is not among these.

        Args:
            candidates: ``int32[m]``, repeats allowed.
            size: One more than the table has rows.
        """
        places = kept_places("bundle", size, self.candidates).take(candidates)
        if not places.all():
            return None
        numbers = np.zeros(len(self.candidates) + 1, np.int32)
        numbers[places] = np.arange(1, len(candidates) + 1, dtype=np.int32)
        target = numbers.take(self.target)
        some = target.nonzero()[0]
        return Hits(
            self.rows,
            candidates,
            self.source.take(some),
            target.take(some),
            self.weights.take(some),
            numbers.take(places),
        )


def between(hits: Sequence[Hits]) -> Scores:
    """``float32[m, t, h]``: the weight of each candidate among the neighbours of each row, in each of t tables.

    0 when absent.

    Args:
        hits: Of each table, one at least, and all of the same rows and candidates.
    """
    rows, own = hits[0].rows, hits[0].own
    wide = len(hits) * len(rows)
    # A row for each candidate: few items, which stand together.
    found = np.zeros((len(own) + 1) * wide, np.float32)
    for number, one in enumerate(hits):
        found[one.target * wide + (one.source + number * len(rows))] = one.weights
    return found.reshape(len(own) + 1, len(hits), len(rows)).take(own, axis=0)


def summed(hits: Sequence[Hits]) -> tuple[Scores, npt.NDArray[np.float64], Ints]:
    """``[t, m]``: over the rows of `between` the largest number, the sum and how many are above 0, without that table.

    Args:
        hits: As for `between`.
    """
    own = hits[0].own
    cells = len(own) + 1
    target = np.concatenate([one.target + number * cells for number, one in enumerate(hits)])
    weights = np.concatenate([one.weights for one in hits])
    shape, size = (len(hits), cells), len(hits) * cells
    largest = np.zeros(size, np.float32)
    np.maximum.at(largest, target, weights)
    # Without any hit the counts are all there is, and whole numbers.
    total = np.bincount(target, weights, size).astype(np.float64, copy=False)
    counts = np.bincount(target, minlength=size)
    return (
        largest.reshape(shape).take(own, axis=1),
        total.reshape(shape).take(own, axis=1),
        counts.reshape(shape).take(own, axis=1),
    )
