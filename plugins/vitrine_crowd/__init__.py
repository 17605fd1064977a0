"""Ranker `crowd`: what all those turned to who share anything with the one who asks (item kNN with all neighbours).

What each says stands at `vitrine.bundle.Shoppers`. The nearest of them alone are ranker `shoppers`: they tell the first
places apart, the crowd finds what stands further away.
"""

from functools import partial

from vitrine.bundle import Shoppers
from vitrine.by_query import from_history, scored
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
        return scored(batch, from_history, partial(self._shoppers.scores_at, crowd=True))


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> Crowd:
    """Makes the ranker from the bundle's past shoppers."""
    if load.bundle is None or load.bundle.bundle.shoppers is None:
        raise MissingData("the bundle has no past shoppers; it gets them where events have no order")
    return Crowd(load.bundle.bundle.shoppers)
