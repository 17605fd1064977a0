"""The interest model of a bundle, ready to run."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vitrine.content.model import Vectors
from vitrine.domain.parts import sizes_of
from vitrine.interest.inputs import Shoppers, encoder_inputs


class Encoder(Protocol):
    """What is needed of an ONNX model; `vitrine.inference.OnnxModel` has it."""

    def run(
        self, feeds: Mapping[str, npt.NDArray[np.generic]], /, *, budget: float | None = None
    ) -> Mapping[str, npt.NDArray[np.generic]]:
        """Runs it on named inputs; named outputs."""
        ...


class Interests(NamedTuple):
    """``float32[b, d]`` each; the product with an item's vector tells the interest in it, zero for no events."""

    short: Vectors
    long: Vectors
    interest: Vectors


class InterestModel:
    """Turns what shoppers did into vectors. Any thread may call it.

    Attributes:
        vectors: ``float32[n, d]``, item vectors of the bundle.
        projection: ``float32[dc, d]``, content vector times this is the vector of a newer item; ``None`` without content.
        length: L, how many events the encoder takes at most.
    """

    def __init__(
        self, encoder: Encoder, vectors: Vectors, projection: Vectors | None = None, length: int = 50
    ) -> None:
        self._encoder = encoder
        self.vectors = vectors
        self.projection = projection
        self.length = length

    @property
    def dimensions(self) -> int:
        """Length d of a vector."""
        return int(self.vectors.shape[1])

    def encode(
        self, shoppers: Shoppers, vectors: Vectors | None = None, *, budget: float | None = None
    ) -> Interests:
        """The interests of b shoppers; all zero for a shopper without any event.

        Args:
            shoppers: What they did.
            vectors: ``float32[m, d]`` that its rows speak of; the bundle's unless told.
            budget: Seconds that it may take.

        Raises:
            InferenceError: The model failed or answered NaN.
            InferenceTimeout: It took longer.
        """
        table = self.vectors if vectors is None else vectors
        out = Interests(*(np.zeros((len(shoppers), self.dimensions), np.float32) for _ in range(3)))
        some = sizes_of(shoppers.event_offsets).nonzero()[0]
        if not len(some):
            return out
        feeds = encoder_inputs(shoppers, table, self.length)
        if len(some) < len(shoppers):
            feeds = {name: feed[some] for name, feed in feeds.items()}
        answers = self._encoder.run(feeds, budget=budget)
        for name, mine in out._asdict().items():
            mine[some] = answers[name]
        return out
