"""Help for rankers that score one query after the other by what a bundle knows; any plugin may use it.

Such a ranker says where a query starts from, and what that says of its candidates:

    def score(self, batch: Batch) -> Scores:
        return scored(batch, from_history, self._model.scores_at)

What is shared is the loop over the queries of a batch, and that an item that is newer than the bundle has no score.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from vitrine.domain.fading import MOST_ITEMS, faded
from vitrine.plugin import Batch, Scores

Rows: TypeAlias = npt.NDArray[np.int32]
Weights: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]


class Start(NamedTuple):
    """What a query starts from, as far as the bundle knows it: h items.

    Attributes:
        rows: ``int32[h]``, rows of the bundle; none is −1.
        weights: ``float64[h]``, how much each counts.
        places: ``int64[h]``, the row of each in its column of the batch: `Batch.history` or `Batch.recent`.
    """

    rows: Rows
    weights: Weights
    places: Places


StartOf: TypeAlias = Callable[[Batch, int], Start]


def from_history(batch: Batch, query: int) -> Start:
    """The items of a query's history."""
    history = batch.history
    start, end = int(history.offsets[query]), int(history.offsets[query + 1])
    known = (history.bundle_rows[start:end] >= 0).nonzero()[0] + start
    return Start(history.bundle_rows.take(known), history.weights.take(known), known)


def from_latest(keep: float, *, visit: bool = False) -> StartOf:
    """The items of a query's latest events, the latest first and each once.

    Args:
        keep: Each item counts so many times as much as the item that came after it.
        visit: Whether only the visit that goes on counts, where the bundle knows any of it.
    """

    def start_of(batch: Batch, query: int) -> Start:
        recent = batch.recent
        start, end = int(recent.offsets[query]), int(recent.offsets[query + 1])
        only = recent.visit[start:end] if visit else None
        rows, weights, events = faded(recent.bundle_rows[start:end], keep, MOST_ITEMS, only)
        return Start(rows, weights, start + events)

    return start_of


def in_history(start_of: StartOf) -> StartOf:
    """The same items with their places in `Batch.history`, which is what an explanation names; −1 where it has none."""

    def placed(batch: Batch, query: int) -> Start:
        rows, weights, _ = start_of(batch, query)
        start, end = int(batch.history.offsets[query]), int(batch.history.offsets[query + 1])
        same = rows[:, None] == batch.history.bundle_rows[start:end]
        # Without a history there is nothing to look for a maximum in.
        first = start + same.argmax(axis=1) if start < end else -1
        return Start(rows, weights, np.where(same.any(axis=1), first, -1))

    return placed


def scored(batch: Batch, start_of: StartOf, score: Callable[[Rows, Weights, Rows], Scores]) -> Scores:
    """``float32[n]``, as `vitrine.plugin.Ranker.score` answers it, query by query.

    NaN for items that are newer than the bundle, and for all of a query that starts from nothing the bundle knows: the
    ranker declares itself `vitrine.plugin.Partial`.

    Args:
        batch: The batch.
        start_of: What a query starts from.
        score: ``float32[m]`` of m candidates: rows and weights of the start, rows of the candidates; what it says of
            rows of −1 does not matter.
    """
    out = np.full(len(batch.items.ids), np.nan, np.float32)
    for q in range(len(batch.profiles)):
        rows, weights, _ = start_of(batch, q)
        if len(rows):
            theirs = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
            candidates = batch.items.bundle_rows[theirs]
            out[theirs] = score(rows, weights, candidates)
    out[batch.items.bundle_rows < 0] = np.nan
    return out


def explained(
    batch: Batch, positions: Places, start_of: StartOf, explain: Callable[[Rows, Weights, Rows], Places]
) -> Places:
    """``int64[m]``, as `vitrine.plugin.Explainer.explain` answers it, query by query.

    Args:
        batch: The batch.
        positions: ``int64[m]`` candidates of the batch.
        start_of: What a query starts from, with its places in `Batch.history`.
        explain: For candidates as in `scored` the item of the start that speaks for each, by its number; −1: none.
    """
    out = np.full(len(positions), -1, np.int64)
    owners = batch.offsets.searchsorted(positions, "right") - 1
    for q in sorted(set(owners.tolist())):
        rows, weights, places = start_of(batch, q)
        mine = (owners == q).nonzero()[0]
        if len(rows):
            best = explain(rows, weights, batch.items.bundle_rows[positions[mine]])
            out[mine] = np.where(best >= 0, places[best], -1)
    return out
