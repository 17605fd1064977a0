"""From products of sparse matrices to short lists of neighbours, in blocks that bound the memory."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from vitrine_export.evaluate.log import Matrix

# Products of one block.
_BLOCK = 8_000_000


def products(left: Matrix, right: Matrix) -> Iterator[tuple[int, Matrix]]:
    """``leftᵀ right`` in blocks of rows: the number of the first one, and ``float[b, n]``.

    Popular items are what makes such a product large: a block has as many rows as its multiplications allow.

    Args:
        left: ``float[u, n]``.
        right: ``float[u, n]``.
    """
    turned = sp.csr_array(left.T)
    work = np.concatenate([[0], np.cumsum(np.diff(right.indptr)[turned.indices], dtype=np.int64)])[
        turned.indptr
    ]
    start, rows = 0, turned.shape[0]
    while start < rows:
        stop = int(np.searchsorted(work, work[start] + _BLOCK, side="right")) - 1
        stop = min(max(stop, start + 1), rows)
        yield start, sp.csr_array(turned[start:stop] @ right)
        start = stop


def keep_best(block: Matrix, most: int) -> Matrix:
    """The largest positive entries of each row, at most so many; equals at the edge are drawn, never by number."""
    drawn = 1 + 1e-9 * np.random.default_rng(0).random(block.shape[1])[block.indices]
    strict = block.data * drawn
    keep = block.data > 0
    for row in np.flatnonzero(np.diff(block.indptr) > most).tolist():
        start, stop = block.indptr[row], block.indptr[row + 1]
        keep[start + np.argpartition(strict[start:stop], -most)[:-most]] = False
    kept = np.bincount(rows_of(block)[keep], minlength=block.shape[0])
    indptr = np.concatenate([[0], np.cumsum(kept)])
    return sp.csr_array((block.data[keep], block.indices[keep], indptr), block.shape)


def rows_of(matrix: Matrix) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """``int[nnz]``: the row of each entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
