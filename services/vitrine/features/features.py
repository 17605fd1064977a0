"""The columns of one batch, each block computed when one of its columns is first asked for."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.features import context, history, items, shopper, taste
from vitrine.features.scale import places, shares
from vitrine.interest import Interests
from vitrine.interest.inputs import shoppers_of
from vitrine.plugin import Batch

Column32 = npt.NDArray[np.float32]
Block = Mapping[str, Column32]

_BLOCKS: dict[str, Callable[[Batch, Catalog], Block]] = {
    "shopper": shopper.columns,
    "context": context.columns,
    "history": history.columns,
    "taste": taste.columns,
    "item": items.columns,
}


class Features:
    """Feature columns of the n candidates of a batch.

    Not for several threads at once: a batch is worked on by one.
    """

    def __init__(self, catalog: Catalog, bundle: AttachedBundle | None) -> None:
        self._catalog = catalog
        self._bundle = bundle
        self._known: dict[str, Column32] = {}
        self._interests: Interests | None = None
        self._batch: Batch

    def bind(self, batch: Batch) -> None:
        """The batch that the columns are about; it holds these features itself."""
        self._batch = batch

    def release(self) -> None:
        """Lets go of the batch, which then needs no collector of cycles to be freed; no new columns after that."""
        del self._batch

    def column(self, name: str) -> Column32:
        """``float32[n]``, NaN where there is nothing to say; all NaN for a ranker or source that did not take part.

        Raises:
            KeyError: There is no such column.
        """
        known = self._known.get(name)
        if known is None:
            part, _, rest = name.partition(":")
            if rest:
                component, _, says = rest.rpartition(".")
                known = self._component(part, component, says)
                # Not kept: a ranker that follows may bring what is missing now.
            else:
                self._known |= _BLOCKS[name.partition(".")[0]](self._batch, self._catalog)
                known = self._known[name]
        return known

    def matrix(self, names: Sequence[str]) -> Column32:
        """``float32[n, f]``, in one piece by rows: the columns of some names."""
        n = len(self._batch.items.ids)
        table = np.empty((n, len(names)), np.float32)
        for place, name in enumerate(names):
            table[:, place] = self.column(name)
        return table

    def interests(self) -> Interests | None:
        """What each of the q shoppers is interested in, as the bundle's model reads it; ``None`` without a model.

        Raises:
            InferenceError: The model failed; a ranker may leave that to whoever called it.
        """
        bundle = self._bundle
        model = None if bundle is None else bundle.bundle.interest
        if self._interests is None and bundle is not None and model is not None:
            batch, vectors = self._batch, bundle.interest_vectors
            size = 0 if vectors is None else len(vectors)
            shoppers = shoppers_of(
                batch.profiles,
                batch.contexts,
                batch.request_time,
                lambda ids: self._catalog.rows(ids, size),
            )
            self._interests = model.encode(shoppers, vectors)
        return self._interests

    def _component(self, kind: str, name: str, says: str) -> Column32:
        batch = self._batch
        scores = None
        if kind == "ranker":
            scores = batch.scores.get(name)
        elif kind == "source" and name in batch.source_names:
            scores = batch.source_scores[:, batch.source_names.index(name)]
        if scores is None:
            return np.full(len(batch.items.ids), np.nan, np.float32)
        return {"share": shares, "rank": places}[says](scores, batch.offsets)
