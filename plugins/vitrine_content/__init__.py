"""Ranker `content`: how much a candidate's text, category and brand resemble what the shopper looks at.

The score is the cosine between the candidate's content vector and the weighted mean of the history's. It needs no
behaviour of other shoppers, so that an item that came in a minute ago has a score.
"""

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.domain.answer import ReasonCode
from vitrine.features.vectors import content_of, gather
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1


class ContentSimilarity:
    """Scores candidates by content vectors; NaN for items without one."""

    name = "content"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.SIMILAR_CONTENT
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, bundle: AttachedBundle) -> None:
        self._bundle = bundle

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``, −1 to 1."""
        out = np.full(len(batch.items.ids), np.nan, np.float32)
        table, items = self._bundle.content, content_of(batch, self._bundle)
        if table is None or items is None:
            return out
        history = batch.history
        looked_at, weights = gather(table, history.rows), history.weights.astype(np.float32)
        for q in range(len(batch.profiles)):
            mine = slice(int(history.offsets[q]), int(history.offsets[q + 1]))
            theirs = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
            interest = weights[mine] @ looked_at[mine]
            length = float(np.sqrt(interest.dot(interest)))
            if length > 0:
                np.matmul(items.vectors[theirs], interest / length, out=out[theirs])
        out[items.blank] = np.nan
        return out

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``int64[m]``: the row of the history that resembles the candidate most, by weight; −1 without one."""
        out = np.full(len(positions), -1, np.int64)
        table, items = self._bundle.content, content_of(batch, self._bundle)
        if table is None or items is None:
            return out
        history = batch.history
        owners = batch.offsets.searchsorted(positions, "right") - 1
        for q in sorted(set(owners.tolist())):
            start, end = int(history.offsets[q]), int(history.offsets[q + 1])
            mine = (owners == q).nonzero()[0]
            if start < end:
                # Query by query: a batch of many has too many pairs.
                likeness = items.vectors[positions[mine]] @ gather(table, history.rows[start:end]).T
                likeness *= history.weights[start:end].astype(np.float32)
                out[mine] = np.where(likeness.max(axis=1) > 0, start + likeness.argmax(axis=1), -1)
        return out


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> ContentSimilarity:
    """Makes the ranker from the bundle's content vectors."""
    if load.bundle is None or load.bundle.content is None:
        raise MissingData("the bundle has no content vectors; the items it was trained on have no text")
    return ContentSimilarity(load.bundle)
