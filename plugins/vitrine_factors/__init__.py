"""Ranker `factors`: what is common to whole groups of items, beyond the few that ranker `cf` compares one by one.

How a candidate is scored stands at `vitrine.bundle.Factors`, how the factors are found at
`vitrine_export.train.factors`. A new event changes the shopper's vector and so the next answer; nothing is trained
again.
"""

from vitrine.bundle import Factors
from vitrine.by_query import from_history, scored
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
        return scored(batch, from_history, self._factors.scores_at)


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> LatentFactors:
    """Makes the ranker from the bundle's factors."""
    if load.bundle is None or load.bundle.bundle.factors is None:
        raise MissingData("the bundle has no factors; it gets them where `[training] factors` is above 0")
    return LatentFactors(load.bundle.bundle.factors)
