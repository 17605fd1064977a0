"""Shares of histories that hang together: what goes with what is held out as one."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

# Numbers that are looked at together: 100 megabytes.
_CELLS = 25_000_000


def near_share(shoppers: Rows, items: Rows, keys: Keys, fold: int, folds: int) -> Mask:
    """Which of m different pairs of a shopper and an item belong to one of the shares of each history.

    A share begins with any item that is left and goes on with those of the history that go with it most: the cosine of
    who turned to them. Where events depend on each other, as those of one journey do, a hold-out by chance leaves the
    neighbours of whatever it takes away, and so flatters models that look at neighbours alone (Roberts et al., Ecography
    2017, "Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic structure").

    Args:
        shoppers: ``int64[m]`` from 0, in rising order.
        items: ``int64[m]`` from 0.
        keys: ``uint64[m]``, a hash of each pair: decides what is any item, and between equals.
        fold: Which share.
        folds: How many there are; together they are everything.

    Returns:
        ``bool[m]``.
    """
    shape = (int(shoppers.max()) + 1, int(items.max()) + 1)
    by_shopper = sp.csr_array((np.ones(len(items), np.float32), (shoppers, items)), shape)
    by_item = sp.csr_array(by_shopper.T)
    popular = np.maximum(np.diff(by_item.indptr), 1)
    sizes = np.bincount(shoppers, minlength=shape[0])
    # The same fraction of a step for all shares of a shopper: their sizes add up to the history.
    mixed = np.zeros(shape[0], np.uint64)
    np.add.at(mixed, shoppers, keys)
    part = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
    taken = np.full(len(items), -1, np.int64)
    for number in range(fold + 1):
        left = np.flatnonzero(taken < 0)
        if not len(left):
            break
        by_key = left[np.lexsort((keys[left], shoppers[left]))]
        whose, where = np.unique(shoppers[by_key], return_index=True)
        begins = np.full(shape[0], -1, np.int64)
        begins[whose] = by_key[where]
        alike = _alike(by_shopper, by_item, items[begins[whose]], whose, shoppers[left], items[left])
        alike /= np.sqrt(popular[items[left]])
        alike[np.searchsorted(left, begins[whose])] = np.inf
        order = left[np.lexsort((keys[left], -alike, shoppers[left]))]
        place = np.arange(len(order)) - np.searchsorted(shoppers[order], shoppers[order])
        step = np.floor(sizes * (number + 1) / folds + part) - np.floor(sizes * number / folds + part)
        taken[order[place < step[shoppers[order]]]] = number
    return np.asarray(taken == fold)


def _alike(
    by_shopper: "sp.csr_array[np.float32, tuple[int, int]]",
    by_item: "sp.csr_array[np.float32, tuple[int, int]]",
    begins: Rows,
    whose: Rows,
    shoppers: Rows,
    items: Rows,
) -> npt.NDArray[np.float64]:
    """``float64[m]``: how many shoppers each item has in common with the one that its shopper's share begins with."""
    found = np.zeros(len(items))
    size = max(_CELLS // by_shopper.shape[1], 1)
    for start in range(0, len(whose), size):
        block = whose[start : start + size]
        common = (by_item[begins[start : start + size]] @ by_shopper).toarray()
        own = slice(*np.searchsorted(shoppers, (block[0], block[-1] + 1)))
        found[own] = common[np.searchsorted(block, shoppers[own]), items[own]]
    return found
