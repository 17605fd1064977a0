"""Ranker `cf`: what shoppers with the same items also took, by a linear item-item model.

The score of candidate i is Σ w(h)·B[h, i] over the items h of the history, B the matrix that training fitted
(EASE, Steck 2019, WWW, eq. 8, or latent factors of large catalogues). A new event changes w and so the next
answer; nothing is trained again.
"""

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ItemItem
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
        out = np.full(len(batch.items.ids), np.nan, np.float32)
        for q in range(len(batch.profiles)):
            rows, weights, _ = _known(batch, q)
            theirs = slice(batch.offsets[q], batch.offsets[q + 1])
            candidates = batch.items.bundle_rows[theirs]
            if len(rows):
                scores = self._model.scores_at(rows, weights, candidates)
                out[theirs] = np.where(candidates >= 0, scores, np.nan)
        return out

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``int64[m]``: the row of the history with the largest term of the sum, −1 without one."""
        out = np.full(len(positions), -1, np.int64)
        owners = np.searchsorted(batch.offsets, positions, "right") - 1
        for q in np.unique(owners).tolist():
            rows, weights, known = _known(batch, q)
            mine = np.flatnonzero(owners == q)
            if len(rows):
                best = self._model.explain(rows, weights, batch.items.bundle_rows[positions[mine]])
                out[mine] = np.where(best >= 0, known[best], -1)
        return out


def _known(
    batch: Batch, query: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """What the bundle knows of a query's history: rows of the bundle, weights, rows of the batch's history."""
    history = batch.history
    start, end = int(history.offsets[query]), int(history.offsets[query + 1])
    known = start + np.flatnonzero(history.bundle_rows[start:end] >= 0)
    return history.bundle_rows[known], history.weights[known], known


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> CollaborativeFilter:
    """Makes the ranker from the bundle's linear model."""
    if load.bundle is None or load.bundle.bundle.linear is None:
        raise MissingData("the bundle has no linear model; train one with `vitrine train`")
    return CollaborativeFilter(load.bundle.bundle.linear)
