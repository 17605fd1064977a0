"""Ranker `crowd`: what all those turned to who share anything with the one who asks (item kNN with all neighbours).

What each says stands at `vitrine.bundle.Shoppers`. The nearest of them alone are ranker `shoppers`: they tell the first
places apart, the crowd finds what stands further away.
"""

import numpy as np

from vitrine.bundle import Shoppers
from vitrine.domain.answer import ReasonCode
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class Crowd:
    """Scores candidates by all of the bundle's past shoppers; NaN for items newer than the bundle."""

    name = "crowd"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.CO_VISITATION
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, shoppers: Shoppers) -> None:
        self._shoppers = shoppers

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        out = np.full(len(batch.items.ids), np.nan, np.float32)
        history = batch.history
        for q in range(len(batch.profiles)):
            mine = slice(history.offsets[q], history.offsets[q + 1])
            theirs = slice(batch.offsets[q], batch.offsets[q + 1])
            rows, candidates = history.bundle_rows[mine], batch.items.bundle_rows[theirs]
            if (rows >= 0).any():
                scores = self._shoppers.scores_at(rows, history.weights[mine], candidates, crowd=True)
                out[theirs] = np.where(candidates >= 0, scores, np.nan)
        return out


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> Crowd:
    """Makes the ranker from the bundle's past shoppers."""
    if load.bundle is None or load.bundle.bundle.shoppers is None:
        raise MissingData("the bundle has no past shoppers; it gets them where events have no order")
    return Crowd(load.bundle.bundle.shoppers)
