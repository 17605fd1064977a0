"""The linear model of large catalogues: each item is predicted from the few that are most like it."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine_export.train.interactions import Matrix
from vitrine_export.train.neighbours import Triples

# Items of one block, and products of it: they bound the memory to some tens of megabytes a worker.
_ITEMS, _PRODUCTS = 64, 4_000_000
# A long history says less about each of its items (the exponent is of its length), a popular item less about each of
# its shoppers (of its squared norm): both are taken out before the regression, and the item's is put back after, as in
# Park et al. (SIGIR 2024). Chosen on a fifth of the items of each shopper of Gowalla's training file.
USER_EXPONENT = 0.3
ITEM_EXPONENT = 0.2
# Neighbours are the most alike by a measure between common shoppers (0) and their share of all (the cosine, 0.5).
CHOICE_EXPONENT = 0.4

# Up to so many items, those of the most similar content are found by comparing all with all; beyond, content counts
# among the items with common shoppers alone.
_MOST_COMPARED = 100_000

Single = sp.csr_array[np.float32, tuple[int, int]]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Scaled:
    """The interactions with popularity and activity taken out.

    Attributes:
        by_shopper: ``s × n``.
        by_item: The same, transposed.
        power: ``float32[n]``, what each column was divided by.
        choice: ``float32[n]``, what a product with each column is multiplied by to tell how much alike two items are.
        ridge: Added to the diagonal.
        vectors: ``float32[n, d]``, unit content vectors; ``None`` where content does not count.
        content: What their products are multiplied by.
    """

    by_shopper: Single
    by_item: Single
    power: npt.NDArray[np.float32]
    choice: npt.NDArray[np.float32]
    ridge: float
    vectors: Vectors | None
    content: float


def local_triples(
    matrix: Matrix, ridge: float, k: int, vectors: Vectors | None = None, content_share: float = 0.0
) -> Iterator[tuple[int, Triples]]:
    """For runs of predicted items, up to ``k`` items that predict each of them, with positive weights.

    The ridge regression of EASE^R (Steck, WWW 2019, equation 4) over chosen columns alone: for item j and the ``k``
    items N that are most like it, ``b = (X_Nᵀ X_N + λI)⁻¹ X_Nᵀ x_j``. Choosing by neighbourhood first is fsSLIM (Ning
    & Karypis, ICDM 2011, section 4.3). The inverse of n × n becomes n of k × k: time grows with the interactions, not
    with the cube of the items.

    Content counts as further rows of X, as in collective EASE (Jeunen et al., RecSys 2020, section 3): the products of
    items get a share of those of their vectors added, and half of the items N are those of the most similar content.

    Args:
        matrix: ``s × n`` interactions.
        ridge: λ in multiples of the mean squared norm of a column.
        k: Items that predict one.
        vectors: ``float32[n, d]``, unit content vectors, zero where an item has none.
        content_share: How much a product of two of them counts, in multiples of λ; at 0 content does not count.

    Yields:
        The number of items done so far, and ``(predicted, predicting, weight)`` by predicted item.
    """
    scaled = _scale(matrix, ridge, vectors if content_share > 0 else None, content_share)
    if scaled is None:
        return
    bounds = list(_blocks(scaled))
    # The sparse products and the solver let other threads run; the order of the parts stays that of the blocks.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for (_, stop), part in zip(bounds, pool.map(lambda b: _block(scaled, b, k), bounds), strict=True):
            yield stop, part


def _scale(matrix: Matrix, ridge: float, vectors: Vectors | None, content_share: float) -> _Scaled | None:
    norms = np.bincount(matrix.indices, matrix.data**2, matrix.shape[1])
    power = np.where(norms > 0, norms, 1.0) ** ITEM_EXPONENT
    active = np.maximum(np.diff(matrix.indptr), 1).astype(np.float64) ** USER_EXPONENT
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    values = matrix.data / (active[row] * power[matrix.indices])
    diagonal = np.bincount(matrix.indices, values**2, matrix.shape[1])
    used = diagonal[diagonal > 0]
    if not used.size:
        return None
    scaled: Single = sp.csr_array((values.astype(np.float32), matrix.indices, matrix.indptr), matrix.shape)
    return _Scaled(
        scaled,
        sp.csr_array(scaled.T),
        power.astype(np.float32),
        (np.where(norms > 0, norms, 1.0) ** (ITEM_EXPONENT - CHOICE_EXPONENT)).astype(np.float32),
        ridge * float(used.mean()),
        None if vectors is None else np.asarray(vectors, np.float32),
        content_share * ridge * float(used.mean()),
    )


def _blocks(scaled: _Scaled) -> Iterator[tuple[int, int]]:
    """Runs of items whose products are at most `_PRODUCTS`."""
    lengths = np.diff(scaled.by_shopper.indptr).astype(np.int64)
    products = np.concatenate(([0], np.cumsum(lengths[scaled.by_item.indices])))[scaled.by_item.indptr]
    start, n = 0, len(scaled.power)
    while start < n:
        stop = int(np.searchsorted(products, products[start] + _PRODUCTS, side="right")) - 1
        stop = min(max(stop, start + 1), start + _ITEMS, n)
        yield start, stop
        start = stop


def _block(scaled: _Scaled, bounds: tuple[int, int], k: int) -> Triples:
    """The regressions of a run of items."""
    start, stop = bounds
    product = sp.csr_array(scaled.by_item[start:stop] @ scaled.by_shopper)
    product.sort_indices()
    alike = None if scaled.vectors is None else _alike(scaled.vectors, start, stop)
    left = np.zeros((stop - start, k, k), np.float32)
    right = np.zeros((stop - start, k, 1), np.float32)
    chosen = []
    for place in range(stop - start):
        own = slice(product.indptr[place], product.indptr[place + 1])
        items, common = product.indices[own], product.data[own]
        if alike is None:
            items, common = _likest(items, common, scaled.choice, start + place, k)
        else:
            items, common = _with_content(items, common, scaled, alike[place], start + place, k)
        columns = scaled.by_item[items]
        gram = sp.coo_array(columns @ columns.T)
        left[place][gram.coords] = gram.data
        if scaled.vectors is not None:
            own_vectors = scaled.vectors[items]
            left[place, : len(items), : len(items)] += np.float32(scaled.content) * (
                own_vectors @ own_vectors.T
            )
        right[place, : len(items), 0] = common
        chosen.append(items)
    left[:, np.arange(k), np.arange(k)] += np.float32(scaled.ridge)
    weights = np.linalg.solve(left, right)[:, :, 0]
    sizes = np.array([len(items) for items in chosen])
    target = np.repeat(np.arange(start, stop), sizes)
    source = np.concatenate(chosen)
    weight = weights[np.arange(k) < sizes[:, None]] * scaled.power[target] / scaled.power[source]
    keep = weight > 0
    return target[keep].astype(np.int32), source[keep].astype(np.int32), weight[keep].astype(np.float32)


def _alike(vectors: Vectors, start: int, stop: int) -> Vectors:
    """``float32[b, n]``: how much the content of a run of items is like that of each item."""
    alike: Vectors = vectors[start:stop] @ vectors.T
    alike[np.arange(stop - start), np.arange(start, stop)] = 0
    return alike


def _with_content(
    items: npt.NDArray[np.int32],
    common: npt.NDArray[np.float32],
    scaled: _Scaled,
    alike: npt.NDArray[np.float32],
    own: int,
    k: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """At most ``k`` items most like an item, in order, half of them by content, and their products with it."""
    half = k // 2
    chosen, _ = _likest(items, common, scaled.choice, own, k - half)
    if half and len(alike) <= _MOST_COMPARED:
        near = np.argpartition(-alike, min(half, len(alike)) - 1)[:half]
        chosen = np.union1d(chosen, near[alike[near] > 0]).astype(np.int32)
    products = np.float32(scaled.content) * alike[chosen]
    at = np.minimum(np.searchsorted(items, chosen), max(len(items) - 1, 0))
    if len(items):
        products += np.where(items[at] == chosen, common[at], np.float32(0))
    return chosen, products.astype(np.float32)


def _likest(
    items: npt.NDArray[np.int32],
    common: npt.NDArray[np.float32],
    choice: npt.NDArray[np.float32],
    own: int,
    k: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The ``k`` items most like an item, without itself, and their products with it."""
    other = items != own
    items, common = items[other], common[other]
    if len(items) > k:
        # Equal ones by their numbers, which are those of a hash.
        best = np.lexsort((items, -common * choice[items]))[:k]
        items, common = items[best], common[best]
    order = np.argsort(items)
    return items[order], common[order]
