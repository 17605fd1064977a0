"""Factors: what is common to whole groups of items, as one vector for each."""

import numpy as np
import numpy.typing as npt

from vitrine.bundle.files import BundleFiles
from vitrine.errors import BundleError

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


class Factors:
    """Latent factors of n items: candidate c scores ``outward_c v_c · Σ w_i inward_i v_i`` over a history's items i.

    Rows of −1 ("not in the bundle") are allowed wherever rows are given; they contribute nothing and score 0.

    Attributes:
        vectors: ``float16[n, r]``, a vector for each item.
        inward: ``float32[n]``, how much each item says of who is interested in it.
        outward: ``float32[n]``, by how much the score of each is multiplied.
    """

    __slots__ = ("_leaving", "inward", "outward", "vectors")

    def __init__(
        self,
        vectors: npt.NDArray[np.float16],
        inward: npt.NDArray[np.float32],
        outward: npt.NDArray[np.float32],
    ) -> None:
        # Plain arrays: indexing a memmap costs a subclass check each time.
        self.vectors = np.asarray(vectors, np.float16)
        self.inward = np.asarray(inward, np.float32)
        self.outward = np.asarray(outward, np.float32)
        self._leaving: Scores | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        return f"Factors({len(self):,} items, rank {self.vectors.shape[1]})"

    def scores(self, rows: Rows, weights: npt.NDArray[np.float64]) -> Scores:
        """``float32[n]``: the same as `scores_at` for all items.

        The first call keeps a copy of the vectors, twice as large, because halves are slow to multiply.
        """
        if self._leaving is None:
            self._leaving = self.vectors.astype(np.float32) * self.outward[:, None]
        return np.asarray(self._leaving @ self._shopper(rows, weights), np.float32)

    def scores_at(self, rows: Rows, weights: npt.NDArray[np.float64], candidates: Rows) -> Scores:
        """``float32[m]``, of either sign.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        shopper = self._shopper(rows, weights)
        scores = (self.vectors[candidates].astype(np.float32) @ shopper) * self.outward[candidates]
        scores[np.asarray(candidates) < 0] = 0
        return np.asarray(scores, np.float32)

    def between(self, rows: Rows, candidates: Rows) -> Scores:
        """``float32[h, m]``: what each of h items says of each of m candidates; rows of −1 are the last item's."""
        said = self.vectors[rows].astype(np.float32) * self.inward[rows][:, None]
        theirs = self.vectors[candidates].astype(np.float32) * self.outward[candidates][:, None]
        return np.asarray(said @ theirs.T, np.float32)

    def _shopper(self, rows: Rows, weights: npt.NDArray[np.float64]) -> Scores:
        """``float32[r]``: what a history adds up to."""
        known = np.flatnonzero(np.asarray(rows) >= 0)
        own = np.asarray(rows)[known]
        said = np.asarray(weights, np.float32)[known] * self.inward[own]
        return np.asarray(said @ self.vectors[own].astype(np.float32), np.float32)


def read_factors(files: BundleFiles, n: int) -> Factors | None:
    """Factors of n items, or nothing.

    Raises:
        BundleError: They are not one vector and two finite numbers for each item.
    """
    names = [f"factors.{column}.npy" for column in ("vectors", "inward", "outward")]
    if not any(name in files for name in names):
        return None
    vectors = files.array(names[0], "float16", (n, None))
    inward, outward = (files.array(name, "float32", (n,)) for name in names[1:])
    for name, array in zip(names, (vectors, inward, outward), strict=True):
        files.finite(name, array)
    if n and vectors.shape[1] == 0:
        raise BundleError(f"{files.path / names[0]}: the vectors have no numbers; train the bundle again")
    return Factors(vectors, inward, outward)
