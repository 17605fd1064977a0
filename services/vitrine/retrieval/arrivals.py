"""What came into the shop around an hour, kept as the catalogue changes."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.catalog.columns import Columns, Mask, Rows

Keys = npt.NDArray[np.int64]
_BRANDS = 1 << 31


class Pairs:
    """The g pairs of category and brand of k items.

    Attributes:
        keys: ``int64[g]``, ascending, a number for each pair.
        categories: ``int32[g]``: codes; −1 for none.
        brands: ``int32[g]``: codes; −1 for none.
        counts: ``int64[g]``: how many items have it.
    """

    def __init__(self, keys: Keys, pair: Rows) -> None:
        self.keys = keys
        self.categories: Rows = (keys // _BRANDS - 1).astype(np.int32)
        self.brands: Rows = (keys % _BRANDS - 1).astype(np.int32)
        self.counts = np.bincount(pair, minlength=len(keys))


class Arrivals(NamedTuple):
    """k items, the newest first, and the pairs of category and brand that they have.

    Attributes:
        rows: ``int32[k]``.
        created: ``float64[k]``, Unix seconds.
        pair: ``int32[k]``, which pair each has.
        pairs: The g pairs of these items, or of these and more.
    """

    rows: Rows
    created: npt.NDArray[np.float64]
    pair: Rows
    pairs: Pairs

    def within(self, first: float, last: float) -> "Arrivals":
        """Those from one moment to another, both included."""
        oldest_first, size = self.created[::-1], len(self.created)
        start = size - int(oldest_first.searchsorted(last, "right"))
        end = size - int(oldest_first.searchsorted(first, "left"))
        return Arrivals(self.rows[start:end], self.created[start:end], self.pair[start:end], self.pairs)

    def best(
        self,
        steps: npt.NDArray[np.int8],
        allowed: Mask,
        tie: npt.NDArray[np.uint64],
        least: int,
        most: int,
    ) -> npt.NDArray[np.int64]:
        """``int64[≤ most]``: of those that are allowed those of the highest steps, in no order.

        Whole steps, as many as hold ``least`` of them; of the last step the newest, where it is too many in all. Few are
        looked at one by one, however many there are.

        Args:
            steps: ``int8[g]``, of each pair: few different numbers, not below 0.
            allowed: ``bool[n]`` by row.
            tie: ``uint64[n]`` by row, decides between equally new ones.
            least: How many are needed.
            most: How many at most.
        """
        step = steps.take(self.pair)
        counts = np.bincount(steps, self.pairs.counts)
        levels = counts.nonzero()[0][::-1]
        if not len(levels):
            return np.empty(0, np.int64)
        # No fewer steps than these hold what is needed; more do where not all of it is allowed.
        last = min(int(counts[levels].cumsum().searchsorted(least)), len(levels) - 1)
        found = [self._allowed((step > int(levels[last])).nonzero()[0], allowed)] if last else []
        have = sum(map(len, found))
        for level in levels[last:].tolist():
            found.append(self._newest(step, level, allowed, tie, most - have))
            have += len(found[-1])
            if have >= least:
                break
        return np.concatenate(found)

    def _newest(
        self, step: npt.NDArray[np.int8], level: int, allowed: Mask, tie: npt.NDArray[np.uint64], most: int
    ) -> npt.NDArray[np.int64]:
        """At most so many of a step, the newest first looked for among the newest, then among more."""
        end = 8 * most
        while True:
            at = self._allowed((step[:end] == level).nonzero()[0], allowed)
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

    @classmethod
    def of(cls, columns: Columns, first: float, last: float) -> Self:
        """What was created from one moment to another, both included."""
        rows = np.flatnonzero((columns.created >= first) & (columns.created <= last)).astype(np.int32)
        rows = rows[np.argsort(-columns.created[rows], kind="stable")]
        keys, place = np.unique(_keys(columns, rows), return_inverse=True)
        pair: Rows = place.astype(np.int32)
        return cls(rows, columns.created[rows], pair, Pairs(keys, pair))

    def updated(self, changed: Rows, columns: Columns, first: float, last: float) -> "Arrivals":
        """The same after some rows changed, most of which are none of these or as they were."""
        mark = np.zeros(len(columns), np.bool_)
        mark[changed] = True
        at = np.flatnonzero(mark.take(self.rows))
        rows = self.rows[at]
        gone = at[
            (columns.created[rows] != self.created[at])
            | (_keys(columns, rows) != self.pairs.keys[self.pair[at]])
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
        keys = np.union1d(self.pairs.keys, new)
        pair = np.searchsorted(keys, self.pairs.keys).astype(np.int32).take(self.pair[stay])
        places = np.searchsorted(-created, -columns.created[came])
        pair = np.insert(pair, places, np.searchsorted(keys, new).astype(np.int32))
        return Arrivals(
            np.insert(self.rows[stay], places, came),
            np.insert(created, places, columns.created[came]),
            pair,
            Pairs(keys, pair),
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
