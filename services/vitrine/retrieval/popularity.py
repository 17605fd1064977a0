"""What is popular and what is rising, live: every recorded event counts in the next answer."""

from math import log2
from threading import RLock
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.catalog.columns import Mask, Rows
from vitrine.domain.events import INTEREST_BY_TYPE, Activity
from vitrine.retrieval.best import best
from vitrine.retrieval.decay import ForwardDecay
from vitrine.retrieval.leaders import Leaders

Found = tuple[Rows, npt.NDArray[np.float32]]
_MAX_PENDING = 100_000
# `Leaders` has at least so many, or all.
_RISING_POOL = 1024


class _Snapshot(msgspec.Struct, array_like=True):
    """What is kept over a restart: sums of the rows that have one, and then of items that the catalogue lacks.

    Earlier ones had the ids of all of them, and no rows.
    """

    slow_half_life: float
    fast_half_life: float
    slow_landmark: float
    fast_landmark: float
    item_ids: list[str]
    slow: bytes
    fast: bytes
    rows: bytes = b""


class _Head(NamedTuple):
    """The most popular: ``int32[p]`` rows, best first, and ``float32[p]`` shares; and whether nobody cared for others."""

    rows: Rows
    shares: npt.NDArray[np.float32]
    complete: bool


class _Pool(NamedTuple):
    """The strongest by `Popularity.rising`: ``int32[p]`` rows, and ``float64[p]`` sums and what orders them."""

    rows: Rows
    slow: npt.NDArray[np.float64]
    fast: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]


class Popularity:
    """Interest in each item of the catalogue, decayed with a slow and a fast half-life (`ForwardDecay`).

    An item is rising when its fast sum S exceeds what its slow sum L lets expect, L × fast ÷ slow half-life; it is
    ordered by S² ÷ L, which is S times that excess. Like S and L, it keeps its order as time passes.

    Safe to use from several threads. Items that are not in the catalogue yet are remembered until they are, the
    latest 100,000 of them.

    Attributes:
        cursor: How far the log of activity is counted.
    """

    def __init__(self, catalog: Catalog, slow_half_life: float, fast_half_life: float) -> None:
        self.cursor = 0
        self._catalog = catalog
        self._slow = ForwardDecay(slow_half_life)
        self._fast = ForwardDecay(fast_half_life)
        self._rising: npt.NDArray[np.float64] = np.zeros(0)
        self._pending: dict[str, tuple[float, float]] = {}
        self._popular_head = Leaders()
        self._rising_head = Leaders()
        # Nothing after any change.
        self._head: _Head | None = None
        self._pool: _Pool | None = None
        self._lock = RLock()
        catalog.subscribe(self._on_items)

    def feed(self, activity: Activity) -> None:
        """Counts events, by interest shown; what was counted already (`cursor`) is not counted again."""
        if activity.cursor <= self.cursor:
            return
        with self._lock:
            weights = INTEREST_BY_TYPE[activity.types]
            shown = np.flatnonzero(weights)
            ids = [activity.item_ids[i] for i in shown.tolist()]
            self._count(ids, weights[shown], activity.times[shown])
            self.cursor = activity.cursor

    def reset(self) -> None:
        """Forgets everything, to count a log from its beginning."""
        with self._lock:
            for decayed in (self._slow, self._fast):
                decayed.landmark = 0.0
                decayed.values = np.zeros(0)
            self._pending = {}
            self._recompute()
            self.cursor = 0

    def popular(self, allowed: Mask, limit: int) -> Found:
        """The allowed rows with the highest slow sums, best first, as shares of the highest of all."""
        with self._lock:
            head = self._head = self._head or self._made_head()
            at = _allowed(head.rows, allowed)[:limit]
            if len(at) == limit or head.complete:
                return head.rows.take(at), head.shares.take(at)
            values, tie = self._slow.values, self._catalog.tie
            end = min(len(allowed), len(values))
            rows = np.flatnonzero(allowed[:end] & (values[:end] > 0)).astype(np.int32)
            rows = rows[best(values[rows], tie[rows], limit)]
            return rows, (values[rows] / values[head.rows[:1]]).astype(np.float32)

    def shares(self, rows: Rows) -> npt.NDArray[np.float64]:
        """``float64[k]``: the slow sums of some rows as shares of the highest of all; 0 where there is none."""
        with self._lock:
            return self._shares(_at(self._slow.values, rows))

    def signals(self, rows: Rows, time: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """``float32[k]``: `shares`; and log2 of the fast sum ÷ what the slow sum lets expect, as of ``time``, within ±8.

        There, 0 means as usual; NaN where there is neither.
        """
        with self._lock:
            slow, fast = _at(self._slow.values, rows), _at(self._fast.values, rows)
            shares, usual = self._shares(slow), self._log2_usual(time)
        nothing = (slow <= 0) | (fast <= 0)
        slow[nothing] = fast[nothing] = 1.0
        excess = np.log2(fast) - np.log2(slow) - usual
        trend = np.minimum(np.maximum(excess, -8), 8).astype(np.float32)
        trend[nothing] = np.nan
        return shares.astype(np.float32), trend

    def _shares(self, slow: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        head = self._popular_head.head(self._slow.values, self._catalog.tie)
        if not len(head):
            return np.zeros(len(slow))
        shares: npt.NDArray[np.float64] = np.maximum(slow, 0.0) / self._slow.values[head[0]]
        return shares

    def _log2_usual(self, time: float) -> float:
        """Log2 of the fast sum that a slow sum of 1 lets expect.

        Landmarks can lie further from now than a float reaches; what is left of them here is bounded.
        """
        expected = self._slow.log2_factor(time) - self._fast.log2_factor(time)
        return log2(self._fast.half_life / self._slow.half_life) + min(max(expected, -500.0), 500.0)

    def rising(self, allowed: Mask, limit: int, time: float) -> Found:
        """The allowed rows that are rising as of ``time``, strongest first, as shares of the strongest of all.

        Only the 1,024 strongest are looked at.
        """
        with self._lock:
            if self._pool is None:
                head = self._rising_head.head(self._rising, self._catalog.tie)[:_RISING_POOL]
                self._pool = _Pool(head, self._slow.values[head], self._fast.values[head], self._rising[head])
            pool, usual = self._pool, 2.0 ** self._log2_usual(time)
        at = (pool.fast > pool.slow * usual).nonzero()[0]
        at = at.take(_allowed(pool.rows.take(at), allowed)[:limit])
        return pool.rows.take(at), (pool.value.take(at) / pool.value[:1]).astype(np.float32)

    def dump(self) -> tuple[int, bytes]:
        """The cursor and all counts, for `restore`."""
        with self._lock:
            rows = np.flatnonzero((self._slow.values != 0) | (self._fast.values != 0))
            pending = np.array(list(self._pending.values()), np.float64).reshape(-1, 2)
            snapshot = _Snapshot(
                self._slow.half_life,
                self._fast.half_life,
                self._slow.landmark,
                self._fast.landmark,
                list(self._pending),
                np.concatenate([self._slow.values[rows], pending[:, 0]]).astype("<f8").tobytes(),
                np.concatenate([self._fast.values[rows], pending[:, 1]]).astype("<f8").tobytes(),
                rows.astype("<i4").tobytes(),
            )
            return self.cursor, msgspec.msgpack.encode(snapshot)

    def restore(self, cursor: int, data: bytes) -> bool:
        """Goes on from a `dump` of a catalogue with these rows, and perhaps fewer.

        Returns:
            False, and nothing changed, when it was made with other half-lives, or with rows that are not there.
        """
        snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
        rows = np.frombuffer(snapshot.rows, "<i4").astype(np.int32)
        if (snapshot.slow_half_life, snapshot.fast_half_life) != (self._slow.half_life, self._fast.half_life):
            return False
        if rows.max(initial=-1) >= len(self._catalog):
            return False
        slow, fast = np.frombuffer(snapshot.slow, "<f8"), np.frombuffer(snapshot.fast, "<f8")
        with self._lock:
            self.reset()
            self._slow.landmark, self._fast.landmark = snapshot.slow_landmark, snapshot.fast_landmark
            self._sum(rows, slow[: len(rows)], fast[: len(rows)])
            self._add(snapshot.item_ids, slow[len(rows) :], fast[len(rows) :])
            self._recompute()
            self.cursor = cursor
        return True

    def _count(
        self, ids: list[str], weights: npt.NDArray[np.float64], times: npt.NDArray[np.float64]
    ) -> None:
        slow, slow_moved = self._slow.weigh(weights, times)
        fast, fast_moved = self._fast.weigh(weights, times)
        moved = bool(slow_moved or fast_moved)
        if moved:
            shift = 2.0 ** -min(slow_moved, 1000), 2.0 ** -min(fast_moved, 1000)
            self._pending = {i: (s * shift[0], f * shift[1]) for i, (s, f) in self._pending.items()}
        rows = self._add(ids, slow, fast)
        if moved:
            self._recompute()
        elif len(rows):
            self._touch(np.unique(rows))

    def _add(self, ids: list[str], slow: npt.NDArray[np.float64], fast: npt.NDArray[np.float64]) -> Rows:
        rows = self._catalog.rows(ids)
        known = rows >= 0
        if not known.all():
            for i in np.flatnonzero(~known).tolist():
                before = self._pending.pop(ids[i], (0.0, 0.0))
                self._pending[ids[i]] = before[0] + float(slow[i]), before[1] + float(fast[i])
            while len(self._pending) > _MAX_PENDING:
                del self._pending[next(iter(self._pending))]
            rows, slow, fast = rows[known], slow[known], fast[known]
        self._sum(rows, slow, fast)
        return rows

    def _sum(self, rows: Rows, slow: npt.NDArray[np.float64], fast: npt.NDArray[np.float64]) -> None:
        if len(rows):
            size = int(rows.max()) + 1
            self._slow.reserve(size)
            self._fast.reserve(size)
            self._slow.add(rows, slow)
            self._fast.add(rows, fast)

    def _on_items(self, rows: Rows) -> None:
        with self._lock:
            if self._pending:
                ids = [self._catalog.ids[r] for r in rows.tolist()]
                found = [i for i in ids if i in self._pending]
                if found:
                    counts = np.array([self._pending.pop(i) for i in found])
                    self._touch(self._add(found, counts[:, 0], counts[:, 1]))

    def _touch(self, rows: Rows) -> None:
        if len(self._rising) < len(self._slow.values):
            more = np.zeros(len(self._slow.values) - len(self._rising))
            self._rising = np.concatenate([self._rising, more])
        self._rising[rows] = _excess(self._slow.values[rows], self._fast.values[rows])
        self._head = self._pool = None
        self._popular_head.touch(rows)
        self._rising_head.touch(rows)

    def _recompute(self) -> None:
        self._rising = _excess(self._slow.values, self._fast.values)
        self._head = self._pool = None
        self._popular_head.forget()
        self._rising_head.forget()

    def _made_head(self) -> _Head:
        values = self._slow.values
        rows = self._popular_head.head(values, self._catalog.tie)
        shares = (values[rows] / values[rows[:1]]).astype(np.float32)
        return _Head(rows, shares, self._popular_head.complete)


def _allowed(rows: Rows, allowed: Mask) -> npt.NDArray[np.int64]:
    """``int64[≤ k]``: the positions of the rows that are allowed."""
    if not len(allowed):
        return np.empty(0, np.int64)
    keep = allowed.take(rows, mode="clip")
    keep &= rows < len(allowed)
    return keep.nonzero()[0]


def _at(values: npt.NDArray[np.float64], rows: Rows) -> npt.NDArray[np.float64]:
    """``float64[k]``: the values of some rows; 0 for rows that nothing was counted for yet."""
    if not len(values):
        return np.zeros(len(rows))
    found = values.take(rows, mode="clip")
    found[rows >= len(values)] = 0.0
    return found


def _excess(slow: npt.NDArray[np.float64], fast: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where((slow > 0) & (fast > 0), fast * (fast / np.where(slow > 0, slow, 1.0)), 0.0)
