"""Ranker `follows`: what comes soon after what the shopper turned to last, by sequential rules.

The score of candidate j is Σ 0.8^s · P(j | i) over the shopper's latest items i, s items before the last, P the
rules that training counted (Ludewig & Jannach, UMUAI 2018, section 3.1). What the shopper turns to changes the next
answer; nothing is trained again.
"""

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ItemItem
from vitrine.domain.answer import ReasonCode
from vitrine.domain.fading import FOLLOWS_KEEP, MOST_ITEMS, faded
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class SequentialRules:
    """Scores candidates by the bundle's rules; NaN for items newer than the bundle."""

    name = "follows"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.CO_VISITATION
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, rules: ItemItem) -> None:
        self._rules = rules

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        out = np.full(len(batch.items.ids), np.nan, np.float32)
        for q in range(len(batch.profiles)):
            rows, weights = _latest(batch, q)
            theirs = slice(batch.offsets[q], batch.offsets[q + 1])
            candidates = batch.items.bundle_rows[theirs]
            if len(rows):
                scores = self._rules.scores_at(rows, weights, candidates)
                out[theirs] = np.where(candidates >= 0, scores, np.nan)
        return out

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``int64[m]``: the row of the history with the largest term of the sum, −1 without one."""
        out = np.full(len(positions), -1, np.int64)
        owners = np.searchsorted(batch.offsets, positions, "right") - 1
        for q in np.unique(owners).tolist():
            rows, weights = _latest(batch, q)
            mine = np.flatnonzero(owners == q)
            if len(rows):
                best = self._rules.explain(rows, weights, batch.items.bundle_rows[positions[mine]])
                out[mine] = np.where(best >= 0, _in_history(batch, q, rows)[best], -1)
        return out


def _latest(batch: Batch, query: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """What a query's shopper turned to last, as rows of the bundle, and how much each counts."""
    recent = batch.recent
    mine = slice(recent.offsets[query], recent.offsets[query + 1])
    rows, weights, _ = faded(recent.bundle_rows[mine], FOLLOWS_KEEP, MOST_ITEMS)
    return rows, weights


def _in_history(batch: Batch, query: int, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """``int64[h]``: where in the batch's history each row of the bundle stands, −1 where it does not."""
    start, end = int(batch.history.offsets[query]), int(batch.history.offsets[query + 1])
    same = rows[:, None] == batch.history.bundle_rows[start:end]
    return (
        np.where(same.any(axis=1), start + same.argmax(axis=1), -1) if start < end else np.full(len(rows), -1)
    )


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> SequentialRules:
    """Makes the ranker from the bundle's rules."""
    if load.bundle is None or load.bundle.bundle.follows is None:
        raise MissingData(
            "the bundle does not know what follows what; the events it was trained on have no order"
        )
    return SequentialRules(load.bundle.bundle.follows)
