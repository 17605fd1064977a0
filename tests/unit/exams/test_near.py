"""Shares of histories that hang together."""

import numpy as np
import pytest

from vitrine_export.exams.near import near_share

FOLDS = 5
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """300 shoppers with 20 items each: ten of one of five worlds of 30 items, and ten of another."""
    rng = np.random.default_rng(0)
    shoppers, items = [], []
    for shopper in range(300):
        for world in rng.choice(5, 2, replace=False).tolist():
            shoppers += [shopper] * 10
            items += (30 * world + rng.choice(30, 10, replace=False)).tolist()
    keys = rng.integers(0, 2**64, len(items), np.uint64)
    return np.array(shoppers), np.array(items), keys


def test_the_shares_are_a_partition(pairs: Pairs) -> None:
    shares = np.array([near_share(*pairs, fold, FOLDS) for fold in range(FOLDS)])
    assert (shares.sum(axis=0) == 1).all()
    sizes = np.array([np.bincount(pairs[0][share], minlength=300) for share in shares])
    assert (sizes == 4).all(), "a fifth of 20"


def test_short_histories_are_shared_out_too() -> None:
    shoppers, items = np.repeat(np.arange(2000), 3), np.tile(np.arange(3), 2000)
    keys = np.random.default_rng(1).integers(0, 2**64, len(items), np.uint64)
    shares = np.array([near_share(shoppers, items, keys, fold, FOLDS) for fold in range(FOLDS)])
    assert (shares.sum(axis=0) == 1).all()
    # A fifth of three items is none or one, by chance, for each of the shares.
    assert shares.sum(axis=1) == pytest.approx(1200, abs=120)


def test_a_share_hangs_together(pairs: Pairs) -> None:
    shoppers, items, keys = pairs
    chosen = near_share(shoppers, items, keys, 0, FOLDS)
    worlds = [len(set((items[chosen & (shoppers == shopper)] // 30).tolist())) for shopper in range(300)]
    by_chance = keys % np.uint64(FOLDS) == 0
    any_items = [
        len(set((items[by_chance & (shoppers == shopper)] // 30).tolist())) for shopper in range(300)
    ]
    assert np.mean(np.array(worlds) == 1) > 0.95
    assert np.mean(np.array(any_items) == 1) < 0.5


def test_the_order_of_the_numbers_of_items_does_not_matter(pairs: Pairs) -> None:
    shoppers, items, keys = pairs
    turned = near_share(shoppers, 149 - items, keys, 1, FOLDS)
    assert (turned == near_share(shoppers, items, keys, 1, FOLDS)).all()
