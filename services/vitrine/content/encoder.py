"""Text to vector with NumPy alone: hashed terms, TF-IDF and a projection that training fitted.

Latent semantic analysis (Deerwester et al., JASIS 1990): the projection is the matrix of right singular vectors
of the TF-IDF matrix. It is linear, so that every term has a vector of its own, which is computed once and kept.
"""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vitrine.content.features import Bag, item_bag, term_features, text_bag
from vitrine.content.model import Vectors, unit
from vitrine.domain.items import Item

# Terms whose vectors are kept; beyond it the memory starts afresh.
_MAX_TERMS = 65_536
_CHUNK = 4096


class HashedEncoder:
    """A fitted encoder.

    Attributes:
        vocabulary: ``uint64[f]``, hashes of the known features, ascending.
        idf: ``float32[f]``, inverse document frequencies.
        projection: ``float16[f, d]``.
    """

    kind = "hashed"

    def __init__(
        self,
        vocabulary: npt.NDArray[np.uint64],
        idf: npt.NDArray[np.float32],
        projection: npt.NDArray[np.float16],
    ) -> None:
        self.vocabulary = np.asarray(vocabulary)
        self.idf = np.asarray(idf)
        self.projection = np.asarray(projection)
        self._lock = threading.Lock()
        self._row_of: dict[str, int] = {}
        self._table = self._empty_table()

    @property
    def dimensions(self) -> int:
        """Length d of a vector."""
        return int(self.projection.shape[1])

    def encode(self, items: Sequence[Item]) -> Vectors:
        """``float32[m, d]``, unit length; a zero row where no term is known."""
        return self._encode([item_bag(i) for i in items])

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """The same for free texts, such as queries."""
        return self._encode([text_bag(t) for t in texts])

    def files(self) -> Mapping[str, npt.NDArray[np.generic] | bytes]:
        """What to store in a bundle, by file name."""
        return {
            "content.vocabulary.npy": self.vocabulary,
            "content.idf.npy": self.idf,
            "content.projection.npy": self.projection,
        }

    def _encode(self, bags: Sequence[Bag]) -> Vectors:
        out = np.zeros((len(bags), self.dimensions), np.float32)
        for start in range(0, len(bags), _CHUNK):
            chunk = bags[start : start + _CHUNK]
            out[start : start + len(chunk)] = self._encode_chunk(chunk)
        return out

    def _encode_chunk(self, bags: Sequence[Bag]) -> Vectors:
        lengths = np.array([len(b) for b in bags], np.int64)
        with self._lock:
            rows, table = self._rows(bags)
        shares = np.fromiter((w for b in bags for w in b.values()), np.float64, len(rows))
        sums = np.zeros((len(bags), self.dimensions))
        filled = np.flatnonzero(lengths)
        if filled.size:
            # Each text is summed over its own terms in its own order, so that a batch changes no bit.
            starts = (np.cumsum(lengths) - lengths)[filled]
            sums[filled] = np.add.reduceat(table[rows] * shares[:, None], starts, axis=0)
        return unit(sums)

    def _rows(self, bags: Sequence[Bag]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The row of each term in the table of term vectors, which learns the new ones."""
        if len(self._row_of) > _MAX_TERMS:
            self._row_of, self._table = {}, self._empty_table()
        known = self._row_of
        new = {term: None for bag in bags for term in bag if term not in known}
        if new:
            vectors = self._term_vectors(list(new))
            need = len(known) + len(new)
            if need > len(self._table):
                # A new array: readers of the old one go on undisturbed.
                grown = np.empty((max(need, 2 * len(self._table)), self.dimensions))
                grown[: len(known)] = self._table[: len(known)]
                self._table = grown
            self._table[len(known) : need] = vectors
            known.update(zip(new, range(len(known), need), strict=True))
        rows = np.fromiter((known[t] for bag in bags for t in bag), np.int64)
        return rows, self._table

    def _term_vectors(self, terms: Sequence[str]) -> npt.NDArray[np.float64]:
        """``float64[t, d]``: the sum over a term's known features of weight × idf × projection."""
        out = np.zeros((len(terms), self.dimensions))
        if not len(self.vocabulary):
            return out
        for row, term in enumerate(terms):
            hashes, weights = term_features(term)
            at = np.minimum(np.searchsorted(self.vocabulary, hashes), len(self.vocabulary) - 1)
            hit = self.vocabulary[at] == hashes
            if hit.any():
                found = at[hit]
                scale = weights[hit] * self.idf[found]
                out[row] = (scale[:, None] * self.projection[found]).sum(axis=0)
        return out

    def _empty_table(self) -> npt.NDArray[np.float64]:
        return np.empty((256, self.dimensions))
