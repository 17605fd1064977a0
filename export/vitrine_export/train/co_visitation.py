"""Co-visitation: items that the same shoppers, and the same visits, are interested in."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine.bundle import ItemItem
from vitrine_export.train.interactions import Interactions, Matrix, half_life_seconds
from vitrine_export.train.neighbours import Triples, assemble, top_of_sparse
from vitrine_export.train.parameters import Parameters

# A visit counts half as much as a whole history. First tried on July to September 2011 of Online
# Retail; within 1.2 % of the best of 15 settings on May to August alone.
_SESSION_SHARE = 0.5
# Shrinkage in multiples of the mean squared norm of a column: few common shoppers say little.
_SHRINK = 0.3
# Products of one block: bounds the memory to a few hundred megabytes a worker.
_BLOCK = 8_000_000


def fit_co_visitation(
    interactions: Interactions, parameters: Parameters, progress: Callable[[float], None] = lambda _: None
) -> ItemItem | None:
    """Squared, shrunken cosine of the columns of the matrix of shoppers and, below it, visits.

    ``w_ij = (x_i · x_j ÷ (|x_i| |x_j| + shrinkage))²``, with interactions decayed by age. The cosine is that of item
    kNN (Sarwar et al., WWW 2001, section 3.1.1); the shrinkage follows Bell & Koren (ICDM 2007), the power that
    sharpens it is the locality of Aiolli (RecSys 2013).

    Returns:
        The neighbours; ``None`` when no two items have a shopper in common.
    """
    half_life = half_life_seconds(parameters.half_life_days)
    matrix = interactions.by_subject(half_life, parameters.max_history)
    visits = interactions.by_session(half_life, parameters.session_gap_minutes * 60, parameters.max_history)
    if visits is not None and visits.shape[0] > interactions.subject_count:
        visits.data = np.sqrt(_SESSION_SHARE * visits.data)
        matrix = sp.csr_array(sp.vstack((matrix, visits), format="csr"))
    norms: npt.NDArray[np.float64] = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
    used = norms[norms > 0]
    shrink = _SHRINK * float(used.mean()) if used.size else 1.0
    columns: Matrix = sp.csr_array(matrix.T)
    n, k = interactions.item_count, parameters.neighbours
    root = np.sqrt(norms)

    def block(bounds: tuple[int, int]) -> Triples:
        start, stop = bounds
        product = sp.csr_array(columns[start:stop] @ matrix)
        row = np.repeat(np.arange(start, stop), np.diff(product.indptr))
        product.data = (product.data / (root[row] * root[product.indices] + shrink)) ** 2
        product.data[row == product.indices] = 0
        return top_of_sparse(product, start, k)

    bounds = list(_blocks(columns, matrix))
    parts = []
    # The sparse product lets other threads run; the order of the parts stays that of the blocks.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done, part in enumerate(pool.map(block, bounds), 1):
            parts.append(part)
            progress(done / len(bounds))
    model = assemble(parts, n, own=max(k // 5, 10), limit=2 * k)
    return model if len(model.indices) else None


def _blocks(columns: Matrix, matrix: Matrix) -> Iterator[tuple[int, int]]:
    """Runs of items whose products are at most `_BLOCK`."""
    lengths: npt.NDArray[np.int64] = np.diff(matrix.indptr).astype(np.int64)
    products = np.concatenate(([0], np.cumsum(lengths[columns.indices])))[columns.indptr]
    start = 0
    while start < len(products) - 1:
        stop = int(np.searchsorted(products, products[start] + _BLOCK, side="right")) - 1
        stop = min(max(stop, start + 1), len(products) - 1)
        yield start, stop
        start = stop
