"""Ranker `cf`: what shoppers with the same items also took, by a linear item-item model.

The score of candidate i is Σ w(h)·B[h, i] over the items h of the history, B the matrix that training fitted
(EASE, Steck 2019, WWW, eq. 8, or latent factors of large catalogues). A new event changes w and so the next
answer; nothing is trained again.
"""

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ItemItem
from vitrine.by_query import explained, from_history, scored
from vitrine.domain.answer import ReasonCode
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class CollaborativeFilter:
    """Scores candidates by the linear model of the bundle; NaN for items newer than the bundle."""

    name = "cf"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.CO_VISITATION
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, model: ItemItem) -> None:
        self._model = model

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        return scored(batch, from_history, self._model.scores_at)

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``int64[m]``: the row of the history with the largest term of the sum, −1 without one."""
        return explained(batch, positions, from_history, self._model.explain)


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> CollaborativeFilter:
    """Makes the ranker from the bundle's linear model."""
    if load.bundle is None or load.bundle.bundle.linear is None:
        raise MissingData("the bundle has no linear model; train one with `vitrine train`")
    return CollaborativeFilter(load.bundle.bundle.linear)
