"""Ranker `deep`: a neural network over the shopper, the candidate, the moment, and what other rankers say of them.

The network of the bundle (`vitrine_export.train.deep` trains it) scores all candidates of a batch in one run. It reads
feature columns and, where the bundle has an interest model, each candidate's vector beside the two interests of the
shopper. It has met lists without any one ranker, source, plugin or interest in training, so that it goes on without them.
It runs after the rankers whose scores it reads.
"""

import numpy as np

from vitrine.bundle import AttachedBundle, Model
from vitrine.content.model import Vectors
from vitrine.domain.answer import ReasonCode
from vitrine.domain.columns import names_of, plugins_in, rankers_in
from vitrine.domain.parts import sizes_of
from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.features.vectors import interest_of
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1

_VECTORS = ("item", "short", "long")


class Deep:
    """Scores candidates by a network; only the order and the distances of the scores within a query mean anything.

    Attributes:
        after: The rankers whose scores and the plugins whose columns it reads, as `vitrine.plugin.Follower` has them.
    """

    name = "deep"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.TASTE
    budget_ms = 150.0

    def __init__(self, model: Model, bundle: AttachedBundle) -> None:
        self._network = model.onnx
        self._features = names_of(model.entry.features)
        self.after = tuple(dict.fromkeys(rankers_in(self._features) + plugins_in(self._features)))
        self._bundle = bundle
        # Length of the vectors that it reads; 0 for none.
        self._dimensions = int(model.golden["item"].shape[1]) if "item" in model.entry.inputs else 0

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        if not len(batch.items.ids):
            return np.empty(0, np.float32)
        feeds = {"features": batch.features.matrix(self._features)}
        if self._dimensions:
            feeds |= dict(zip(_VECTORS, self._vectors(batch), strict=True))
        return np.asarray(self._network.run(feeds)["score"], np.float32)

    def _vectors(self, batch: Batch) -> tuple[Vectors, Vectors, Vectors]:
        """``float32[n, d]`` each: the candidate, and the short-term and long-term interest; zero where there is none."""
        try:
            interests = batch.features.interests()
        except (InferenceError, InferenceTimeout):
            # As without an interest model; whoever scores by interest says that it failed.
            interests = None
        items = None if interests is None else interest_of(batch, self._bundle)
        if interests is None or items is None:
            nothing = np.zeros((len(batch.items.ids), self._dimensions), np.float32)
            return nothing, nothing, nothing
        sizes = sizes_of(batch.offsets)
        return items.vectors, interests.short.repeat(sizes, axis=0), interests.long.repeat(sizes, axis=0)


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> Deep:
    """Makes the ranker from the bundle's network."""
    model = None if load.bundle is None else load.bundle.bundle.models.get("deep")
    if load.bundle is None or model is None or model.entry.kind != "onnx":
        raise MissingData(
            "the bundle has no network 'deep'; `vitrine train` makes one where the events have times"
        )
    if "features" not in model.entry.inputs or "score" not in model.entry.outputs:
        raise MissingData(
            f"the bundle's network 'deep' takes {', '.join(model.entry.inputs)} and not features"
        )
    return Deep(model, load.bundle)
