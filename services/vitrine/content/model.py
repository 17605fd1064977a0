"""Content vectors of items, and what makes them for items and texts that training never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vitrine.domain.items import Item

Vectors = npt.NDArray[np.float32]


class TextEncoder(Protocol):
    """Turns items and texts into vectors of one space. Safe to use from several threads."""

    @property
    def kind(self) -> str:
        """Its name in the manifest."""
        ...

    @property
    def dimensions(self) -> int:
        """Length d of a vector."""
        ...

    def encode(self, items: Sequence[Item]) -> Vectors:
        """``float32[m, d]``, unit length; a zero row where the encoder knows nothing of the text."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """The same for free texts, such as queries."""
        ...

    def files(self) -> Mapping[str, npt.NDArray[np.generic] | bytes]:
        """What to store in a bundle, by file name."""
        ...


@dataclass(frozen=True, slots=True)
class ContentModel:
    """Content vectors of n items.

    Attributes:
        vectors: ``float32[n, d]``, unit length; zero rows for items without text.
        encoder: What made them.
    """

    vectors: Vectors
    encoder: TextEncoder

    @property
    def dimensions(self) -> int:
        """Length d of a vector."""
        return self.encoder.dimensions

    def encode(self, items: Sequence[Item]) -> Vectors:
        """``float32[m, d]``: vectors of items, bit for bit those that training would have made."""
        return self.encoder.encode(items)

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """``float32[m, d]``: vectors of free texts in the same space."""
        return self.encoder.encode_text(texts)


def unit(vectors: npt.NDArray[np.float64]) -> Vectors:
    """Rows brought to length 1, row by row the same whatever the batch; zero rows stay zero."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return (vectors / np.where(length > 1e-12, length, np.inf)).astype(np.float32)
