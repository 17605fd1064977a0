"""The linear model: which items of a history predict an item, solved at once for all."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from vitrine.bundle import ItemItem
from vitrine_export.train.interactions import Interactions, Matrix, half_life_seconds
from vitrine_export.train.local import local_triples
from vitrine_export.train.neighbours import Triples, assemble, top_of_dense
from vitrine_export.train.parameters import Parameters

# Flat between 3 and 30; best of the three on May to August 2011 of Online Retail.
DEFAULT_RIDGE = 10.0
_BLOCK = 256


def fit_linear(
    interactions: Interactions,
    parameters: Parameters,
    seed: int,
    ridge: float = DEFAULT_RIDGE,
    progress: Callable[[float], None] = lambda _: None,
    vectors: npt.NDArray[np.float32] | None = None,
) -> ItemItem | None:
    """EASE where the number of items allows it, otherwise item by item; neighbours by the item that is predicted.

    Nothing in it is random: ``seed`` is there for whoever calls all models alike. ``vectors``, ``float32[n, d]``, are unit
    content vectors; they count where the parameters give content a share.

    Returns:
        The neighbours; ``None`` when nothing predicts anything.
    """
    del seed
    matrix = interactions.by_subject(half_life_seconds(parameters.half_life_days), parameters.max_history)
    n, k = interactions.item_count, parameters.neighbours
    parts: list[Triples] = []
    if is_ease(interactions, parameters):
        for first, block in ease_blocks(matrix, ridge, vectors, parameters.content_share):
            parts.append(top_of_dense(block, first, k))
            progress((first + len(block)) / n)
    else:
        for done, part in local_triples(matrix, ridge, k, vectors, parameters.content_share):
            parts.append(part)
            progress(done / n)
    model = assemble(parts, n, limit=2 * k)
    return model if len(model.indices) else None


def is_ease(interactions: Interactions, parameters: Parameters) -> bool:
    """Whether the closed form is used."""
    return interactions.item_count <= parameters.max_ease_items


def ease_blocks(
    matrix: Matrix,
    ridge: float,
    vectors: npt.NDArray[np.float32] | None = None,
    content_share: float = 0.0,
) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Blocks of rows of ``Bᵀ``: for each predicted item, the weights of all others.

    EASE^R (Steck, WWW 2019, equation 8): ``P = (XᵀX + λI)⁻¹``, ``B_ij = −P_ij ÷ P_jj``, ``B_jj = 0``, with λ given
    as ``ridge`` times the mean of the diagonal of ``XᵀX``. Content vectors count as further rows of X, as in collective
    EASE (Jeunen et al., RecSys 2020, section 3): ``content_share`` of λ times their products is added to ``XᵀX``.
    """
    gram = np.asarray((matrix.T @ matrix).toarray(order="F"))
    diagonal = np.diagonal(gram).copy()
    used = diagonal[diagonal > 0]
    if not used.size:
        return
    strength = ridge * float(used.mean())
    if vectors is not None and content_share > 0:
        gram += content_share * strength * (vectors @ vectors.T)
    gram[np.diag_indices_from(gram)] += strength
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
