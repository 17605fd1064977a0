"""The linear model: which items of a history predict an item, solved at once for all."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import lapack

from vitrine.bundle import ItemItem
from vitrine_export.train.interactions import Interactions, Matrix, half_life_seconds
from vitrine_export.train.neighbours import Triples, assemble, top_of_dense
from vitrine_export.train.parameters import Parameters

# Flat between 3 and 30; best of the three on May to August 2011 of Online Retail.
DEFAULT_RIDGE = 10.0
_BLOCK = 256
# Exponent of popularity that is taken out before the factors and put back after.
_ITEM_EXPONENT = 0.3


def fit_linear(
    interactions: Interactions,
    parameters: Parameters,
    seed: int,
    ridge: float = DEFAULT_RIDGE,
    progress: Callable[[float], None] = lambda _: None,
) -> ItemItem | None:
    """EASE where the number of items allows it, otherwise factors; neighbours by the item that is predicted.

    Returns:
        The neighbours; ``None`` when nothing predicts anything.
    """
    matrix = interactions.by_subject(half_life_seconds(parameters.half_life_days), parameters.max_history)
    blocks = (
        ease_blocks(matrix, ridge)
        if is_ease(interactions, parameters)
        else factor_blocks(matrix, parameters.factors, seed)
    )
    n, k = interactions.item_count, parameters.neighbours
    parts: list[Triples] = []
    for first, block in blocks:
        parts.append(top_of_dense(block, first, k))
        progress((first + len(block)) / n)
    model = assemble(parts, n, limit=2 * k)
    return model if len(model.indices) else None


def is_ease(interactions: Interactions, parameters: Parameters) -> bool:
    """Whether the closed form is used."""
    return interactions.item_count <= parameters.max_ease_items


def ease_blocks(matrix: Matrix, ridge: float) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Blocks of rows of ``Bᵀ``: for each predicted item, the weights of all others.

    EASE^R (Steck, WWW 2019, equation 8): ``P = (XᵀX + λI)⁻¹``, ``B_ij = −P_ij ÷ P_jj``, ``B_jj = 0``, with λ given
    as ``ridge`` times the mean of the diagonal of ``XᵀX``.
    """
    gram = np.asarray((matrix.T @ matrix).toarray(order="F"))
    diagonal = np.diagonal(gram).copy()
    used = diagonal[diagonal > 0]
    if not used.size:
        return
    gram[np.diag_indices_from(gram)] += ridge * float(used.mean())
    # In place: at 12,000 items the matrix alone takes 1.2 GB.
    factor, failed = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    inverse, failed_too = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed or failed_too:  # pragma: no cover - a ridge makes it positive definite
        raise ArithmeticError("the Gram matrix is singular; give a larger ridge")
    n = len(inverse)
    scale = -1.0 / np.diagonal(inverse)
    for first in range(0, n, _BLOCK):
        last = min(first + _BLOCK, n)
        # Only the lower triangle is filled in.
        block = np.empty((last - first, n))
        block[:, :first] = inverse[first:last, :first]
        block[:, first:] = inverse[first:, first:last].T
        corner = inverse[first:last, first:last]
        block[:, first:last] = np.tril(corner) + np.tril(corner, -1).T
        block *= scale[first:last, None]
        block[np.arange(last - first), np.arange(first, last)] = 0
        yield first, block


def factor_blocks(matrix: Matrix, rank: int, seed: int) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Blocks of rows of ``Bᵀ`` from a truncated singular value decomposition.

    PureSVD (Cremonesi, Koren & Turrin, RecSys 2010): scores are ``x V Vᵀ``, computed by randomised
    subspace iteration (Halko, Martinsson & Tropp, SIAM Review 2011, algorithm 4.4). Columns are first divided by a
    power of their squared norm, so that the factors do not go to the few most popular items alone.
    """
    from sklearn.utils.extmath import randomized_svd

    norms: npt.NDArray[np.float64] = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
    power = np.where(norms > 0, norms, 1.0) ** _ITEM_EXPONENT
    scaled = sp.csr_matrix(matrix @ sp.diags_array(1 / power)).astype(np.float32)
    rank = min(rank, min(scaled.shape) - 1)
    if rank < 1:
        return
    _, _, right = randomized_svd(scaled, rank, n_iter=3, random_state=seed)
    factors = np.ascontiguousarray(right.T, np.float32)
    leading = np.ascontiguousarray((right / power).astype(np.float32))
    for first in range(0, len(factors), _BLOCK):
        last = min(first + _BLOCK, len(factors))
        block = factors[first:last] @ leading
        block *= power[first:last, None].astype(np.float32)
        block[np.arange(last - first), np.arange(first, last)] = 0
        yield first, block
