"""Ranker `factors`: what is common to whole groups of items, beyond the few that ranker `cf` compares one by one.

How a candidate is scored stands at `vitrine.bundle.Factors`, how the factors are found at
`vitrine_export.train.factors`. A new event changes the shopper's vector and so the next answer; nothing is trained
again.
"""

import numpy as np

from vitrine.bundle import Factors
from vitrine.domain.answer import ReasonCode
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class LatentFactors:
    """Scores candidates by the factors of the bundle; NaN for items newer than the bundle."""

    name = "factors"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.TASTE
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, factors: Factors) -> None:
        self._factors = factors

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        out = np.full(len(batch.items.ids), np.nan, np.float32)
        history = batch.history
        for q in range(len(batch.profiles)):
            mine = slice(history.offsets[q], history.offsets[q + 1])
            theirs = slice(batch.offsets[q], batch.offsets[q + 1])
            rows, candidates = history.bundle_rows[mine], batch.items.bundle_rows[theirs]
            if (rows >= 0).any():
                scores = self._factors.scores_at(rows, history.weights[mine], candidates)
                out[theirs] = np.where(candidates >= 0, scores, np.nan)
        return out


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> LatentFactors:
    """Makes the ranker from the bundle's factors."""
    if load.bundle is None or load.bundle.bundle.factors is None:
        raise MissingData("the bundle has no factors; it gets them where `[training] factors` is above 0")
    return LatentFactors(load.bundle.bundle.factors)
