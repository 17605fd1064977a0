"""Ranker `follows`: what comes soon after what the shopper turned to last, by sequential rules.

The score of candidate j is Σ 0.8^s · P(j | i) over the shopper's latest items i, s items before the last, P the
rules that training counted (Ludewig & Jannach, UMUAI 2018, section 3.1). What the shopper turns to changes the next
answer; nothing is trained again.
"""

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ItemItem
from vitrine.by_query import explained, from_latest, in_history, scored
from vitrine.domain.answer import ReasonCode
from vitrine.domain.fading import FOLLOWS_KEEP
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1

_LATEST = from_latest(FOLLOWS_KEEP)


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
        return scored(batch, _LATEST, self._rules.scores_at)

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``int64[m]``: the row of the history with the largest term of the sum, −1 without one."""
        return explained(batch, positions, in_history(_LATEST), self._rules.explain)


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> SequentialRules:
    """Makes the ranker from the bundle's rules."""
    if load.bundle is None or load.bundle.bundle.follows is None:
        raise MissingData(
            "the bundle does not know what follows what; the events it was trained on have no order"
        )
    return SequentialRules(load.bundle.bundle.follows)
