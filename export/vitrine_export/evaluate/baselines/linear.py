"""Linear models of all items at once: the closed form where the number of items allows it, else graph filtering."""

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from vitrine_export.evaluate.baselines.base import Asked, Needs, Scores, binary
from vitrine_export.evaluate.log import Log

# Items of the largest dense matrix: 0.9 GB, twice while it is inverted.
MAX_EASE_ITEMS = 15_000


class Ease:
    """EASE^R (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8).

    ``P = (XᵀX + λI)⁻¹``, ``B_ij = −P_ij ÷ P_jj``, ``B_jj = 0``, with X binary.

    Args:
        log: What was taken.
        ridge: λ as a multiple of the mean of the diagonal of XᵀX, the mean number of shoppers of an item.
    """

    name = "EASE"
    needs: Needs = ""

    def __init__(self, log: Log, ridge: float = 10) -> None:
        taken = binary(log.counts())
        gram = np.asarray((taken.T @ taken).toarray(order="F"))
        diagonal = np.diagonal(gram)
        used = diagonal[diagonal > 0]
        gram[np.diag_indices_from(gram)] += ridge * float(used.mean()) if used.size else 1.0
        # In place: a second matrix of 15,000 items is another 0.9 GB.
        factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
        inverse, failed_too = lapack.spotri(factor, lower=1, overwrite_c=1)
        if failed or failed_too:
            raise ArithmeticError("the Gram matrix is singular; give a larger ridge")
        # Only the lower triangle is filled in.
        for start in range(0, len(inverse), 512):
            stop = min(start + 512, len(inverse))
            corner = np.tril(inverse[start:stop, start:stop], -1)
            inverse[start:stop, start:stop] = corner + corner.T + np.diag(np.diagonal(inverse)[start:stop])
            inverse[start:stop, stop:] = inverse[stop:, start:stop].T
        inverse /= -np.diagonal(inverse).copy()
        np.fill_diagonal(inverse, 0)
        # A row is what a history adds up.
        self._weights = np.ascontiguousarray(inverse, np.float32)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        return np.asarray(binary(queries.history) @ self._weights)


class GraphFilter:
    """Graph filtering, for catalogues that are too large for `Ease`; nothing is trained.

    GF-CF (Shen, Wu, Zhang et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021): with
    ``R̃ = D_U^−½ R D_I^−½`` and V the leading right singular vectors, scores are ``r R̃ᵀR̃ + α r D_I^−a V Vᵀ D_I^a``. Their
    a is ½; with less, in V's matrix too, popular items stay more popular (chosen, with α and the number of vectors, on
    a fifth of Gowalla's training part). V is found by randomised subspace iteration (Halko, Martinsson & Tropp 2011,
    SIAM Review 53(2), algorithm 4.4).

    Args:
        log: What was taken.
        rank: Singular vectors.
        item_exponent: a.
        share: α, the weight of the low-pass filter beside the linear one.
        seed: Decides the random start.
    """

    name = "GF-CF"
    needs: Needs = ""

    def __init__(
        self, log: Log, rank: int = 256, item_exponent: float = 0.3, share: float = 0.3, seed: int = 0
    ) -> None:
        from sklearn.utils.extmath import randomized_svd

        taken = binary(log.counts())
        lengths = np.maximum(np.asarray(taken.sum(1)).ravel(), 1)
        users = np.maximum(np.asarray(taken.sum(0)).ravel(), 1).astype(np.float32)
        by_length = sp.diags_array(lengths**-0.5) @ taken
        self._share = share
        self._power = users**item_exponent
        self._linear = sp.csr_array(by_length @ sp.diags_array(users**-0.5)).astype(np.float32)
        self._turned = sp.csr_array(self._linear.T)
        scaled = sp.csr_array(by_length @ sp.diags_array(1 / self._power)).astype(np.float32)
        rank = max(1, min(rank, min(scaled.shape) - 1))
        _, _, right = randomized_svd(scaled, rank, n_iter=3, random_state=seed)
        self._vectors = np.ascontiguousarray(right, np.float32)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        taken = binary(queries.history)
        # From right to left: items × items would be too large.
        linear = np.asarray(((taken @ self._turned) @ self._linear).toarray())
        factors = np.asarray((taken @ sp.diags_array(1 / self._power)) @ self._vectors.T)
        low: Scores = np.asarray(factors @ self._vectors) * self._power
        return np.asarray(linear + np.float32(self._share) * low)
