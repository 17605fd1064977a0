"""Ranker `shoppers`: what those turned to who share the most with the one who asks (user kNN).

How like they are, and what each says, stands at `vitrine.bundle.Shoppers`. A new event makes other shoppers the
nearest; nothing is trained again.
"""

from vitrine.bundle import Shoppers
from vitrine.by_query import from_history, scored
from vitrine.domain.answer import ReasonCode
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class NearestShoppers:
    """Scores candidates by the bundle's past shoppers; NaN for items newer than the bundle."""

    name = "shoppers"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.CO_VISITATION
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, shoppers: Shoppers) -> None:
        self._shoppers = shoppers

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        return scored(batch, from_history, self._shoppers.scores_at)


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> NearestShoppers:
    """Makes the ranker from the bundle's past shoppers."""
    if load.bundle is None or load.bundle.bundle.shoppers is None:
        raise MissingData("the bundle has no past shoppers; it gets them where events have no order")
    return NearestShoppers(load.bundle.bundle.shoppers)
