"""Ranker `content`: how much a candidate's text, category and brand resemble what the shopper looks at.

The score is the cosine between the candidate's content vector and the weighted mean of the history's. It needs no
behaviour of other shoppers, so that an item that came in a minute ago has a score.
"""

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.domain.answer import ReasonCode
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
        history = batch.history
        candidates, looked_at = self._vectors(batch.items.rows), self._vectors(history.rows)
        out = np.full(len(candidates), np.nan, np.float32)
        for q in range(len(batch.profiles)):
            mine = slice(history.offsets[q], history.offsets[q + 1])
            theirs = slice(batch.offsets[q], batch.offsets[q + 1])
            interest = history.weights[mine].astype(np.float32) @ looked_at[mine]
            length = float(np.linalg.norm(interest))
            if length > 0:
                out[theirs] = candidates[theirs] @ (interest / length)
        out[~candidates.any(axis=1)] = np.nan
        return out

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``int64[m]``: the row of the history that resembles the candidate most, by weight; −1 without one."""
        history = batch.history
        owners = np.searchsorted(batch.offsets, positions, "right") - 1
        out = np.full(len(positions), -1, np.int64)
        for q in np.unique(owners).tolist():
            start, end = int(history.offsets[q]), int(history.offsets[q + 1])
            mine = np.flatnonzero(owners == q)
            if start < end:
                # Query by query: a batch of many has too many pairs.
                theirs = self._vectors(history.rows[start:end]).T
                likeness = self._vectors(batch.items.rows[positions[mine]]) @ theirs
                likeness *= history.weights[start:end].astype(np.float32)
                out[mine] = np.where(likeness.max(axis=1) > 0, start + likeness.argmax(axis=1), -1)
        return out

    def _vectors(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Vectors of catalogue rows; zero where there is none."""
        table = self._bundle.content
        if table is None or len(table) == 0:
            return np.zeros((len(rows), 1), np.float32)
        known = (rows >= 0) & (rows < len(table))
        vectors = table[np.where(known, rows, 0)]
        vectors[~known] = 0
        return vectors


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> ContentSimilarity:
    """Makes the ranker from the bundle's content vectors."""
    if load.bundle is None or load.bundle.content is None:
        raise MissingData("the bundle has no content vectors; the items it was trained on have no text")
    return ContentSimilarity(load.bundle)
