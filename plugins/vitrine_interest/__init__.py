"""Ranker `interest`: how near a candidate lies to where the shopper's attention is now.

The score is the product of the candidate's vector and the interest that the sequence model of the bundle reads out of
the latest events and the whole history (`vitrine.interest`). An item that is newer than the bundle has a vector made
of its content.
"""

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.domain.answer import ReasonCode
from vitrine.features.vectors import interest_of
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class Interest:
    """Scores candidates by interest vectors; NaN for items and shoppers without one."""

    name = "interest"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.TASTE
    budget_ms = 150.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, bundle: AttachedBundle) -> None:
        self._bundle = bundle

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        out = np.full(len(batch.items.ids), np.nan, np.float32)
        interests = batch.features.interests()
        items = None if interests is None else interest_of(batch, self._bundle)
        if interests is None or items is None:
            return out
        for q, interest in enumerate(interests.interest):
            if interest.any():
                own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
                np.matmul(items.vectors[own], interest, out=out[own])
        out[items.blank] = np.nan
        return out


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> Interest:
    """Makes the ranker from the bundle's interest model."""
    if load.bundle is None or load.bundle.bundle.interest is None:
        raise MissingData("the bundle has no interest model; `vitrine train` makes one")
    return Interest(load.bundle)
