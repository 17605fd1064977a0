"""What came into the shop around an hour, kept as the catalogue changes."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.catalog.columns import Columns, Mask, Rows

Keys = npt.NDArray[np.int64]
_BRANDS = 1 << 31


class Arrivals(NamedTuple):
    """k items, the newest first, and the g pairs of category and brand that they have.

    Attributes:
        rows: ``int32[k]``.
        created: ``float64[k]``, Unix seconds.
        pair: ``int32[k]``, which pair each has.
        keys: ``int64[g]``, ascending, a number for each pair.
    """

    rows: Rows
    created: npt.NDArray[np.float64]
    pair: Rows
    keys: Keys

    def within(self, first: float, last: float) -> "Arrivals":
        """Those from one moment to another, both included."""
        older = -self.created
        part = slice(np.searchsorted(older, -last, "left"), np.searchsorted(older, -first, "right"))
        return Arrivals(self.rows[part], self.created[part], self.pair[part], self.keys)

    def best(
        self, steps: npt.NDArray[np.float64], allowed: Mask, tie: npt.NDArray[np.uint64], most: int
    ) -> npt.NDArray[np.int64]:
        """``int64[≤ most]``: of those that are allowed those of the highest steps; within a step, the newest.

        Few are looked at one by one, however many there are.

        Args:
            steps: ``float64[g]``, of each pair: few different whole numbers, at most 127.
            allowed: ``bool[n]`` by row.
            tie: ``uint64[n]`` by row, decides between equally new ones.
            most: How many.
        """
        if len(self.rows) <= most:
            return self._allowed(np.arange(len(self.rows)), allowed)
        step = steps.astype(np.int8).take(self.pair)
        found, have = [], 0
        for level in np.unique(steps.astype(np.int8))[::-1].tolist():
            at = self._newest(step, level, allowed, tie, most - have)
            found.append(at)
            have += len(at)
            if have == most:
                break
        return np.concatenate(found)

    def _newest(
        self, step: npt.NDArray[np.int8], level: int, allowed: Mask, tie: npt.NDArray[np.uint64], most: int
    ) -> npt.NDArray[np.int64]:
        """At most so many of a step, the newest first looked for among the newest, then among more."""
        end = 8 * most
        while True:
            at = self._allowed(np.flatnonzero(step[:end] == level), allowed)
            if end >= len(step):
                break
            # Of equally new ones all have to be there, for the tie-breaker to choose.
            if len(at) > most and self.created[at[most - 1]] > self.created[end]:
                break
            end *= 8
        if len(at) > most:
            moment = self.created[at[most - 1]]
            newer = at[self.created[at] > moment]
            same = at[self.created[at] == moment]
            at = np.concatenate((newer, same[np.argsort(tie[self.rows[same]])[: most - len(newer)]]))
        return at

    def _allowed(self, at: npt.NDArray[np.int64], allowed: Mask) -> npt.NDArray[np.int64]:
        rows = self.rows.take(at)
        return at[allowed.take(rows, mode="clip") & (rows < len(allowed))]

    @property
    def categories(self) -> Rows:
        """``int32[g]``: codes; −1 for none."""
        return (self.keys // _BRANDS - 1).astype(np.int32)

    @property
    def brands(self) -> Rows:
        """``int32[g]``: codes; −1 for none."""
        return (self.keys % _BRANDS - 1).astype(np.int32)

    @classmethod
    def of(cls, columns: Columns, first: float, last: float) -> Self:
        """What was created from one moment to another, both included."""
        rows = np.flatnonzero((columns.created >= first) & (columns.created <= last)).astype(np.int32)
        rows = rows[np.argsort(-columns.created[rows], kind="stable")]
        keys, pair = np.unique(_keys(columns, rows), return_inverse=True)
        return cls(rows, columns.created[rows], pair.astype(np.int32), keys)

    def updated(self, changed: Rows, columns: Columns, first: float, last: float) -> "Arrivals":
        """The same after some rows changed, most of which are none of these or as they were."""
        mark = np.zeros(len(columns), np.bool_)
        mark[changed] = True
        at = np.flatnonzero(mark.take(self.rows))
        rows = self.rows[at]
        gone = at[
            (columns.created[rows] != self.created[at]) | (_keys(columns, rows) != self.keys[self.pair[at]])
        ]
        mark[rows] = False
        mark[self.rows[gone]] = True
        came = changed[mark[changed]]
        came = came[(columns.created[came] >= first) & (columns.created[came] <= last)]
        if len(gone) == len(came) == 0:
            return self
        came = came[np.argsort(-columns.created[came], kind="stable")]
        stay = np.ones(len(self.rows), np.bool_)
        stay[gone] = False
        created, new = self.created[stay], _keys(columns, came)
        keys = np.union1d(self.keys, new)
        pairs = np.searchsorted(keys, self.keys).astype(np.int32).take(self.pair[stay])
        places = np.searchsorted(-created, -columns.created[came])
        return Arrivals(
            np.insert(self.rows[stay], places, came),
            np.insert(created, places, columns.created[came]),
            np.insert(pairs, places, np.searchsorted(keys, new)),
            keys,
        )


class LatelyArrived:
    """Remembers the arrivals of one hour.

    Args:
        window: How long before a moment of it they may have come, seconds.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._kept: tuple[object, float, int, Arrivals | None] = (None, 0.0, -1, None)

    def around(self, catalog: Catalog, hour: float) -> Arrivals:
        """What was created in the window of any moment of an hour, a number of hours since 1970."""
        whose, when, last, kept = self._kept
        if whose is not catalog or when != hour:
            last, kept = -1, None
        # Before the columns, which are as new as this at least.
        changed, latest = catalog.journal.since(last)
        if kept is not None and changed is not None and len(changed) == 0:
            return kept
        columns = catalog.columns
        first, end = hour * 3600.0 - self._window, (hour + 1) * 3600.0
        if kept is None or changed is None:
            kept = Arrivals.of(columns, first, end)
        else:
            kept = kept.updated(changed, columns, first, end)
        self._kept = catalog, hour, latest, kept
        return kept


def _keys(columns: Columns, rows: Rows) -> Keys:
    return (columns.category[rows].astype(np.int64) + 1) * _BRANDS + columns.brand[rows] + 1
