"""What the nearest past shoppers say."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vitrine.bundle import Shoppers
from vitrine.bundle import shoppers as module

N = 40


@pytest.fixture(scope="module")
def lists() -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [rng.choice(N - 5, int(rng.integers(2, 12)), replace=False).astype(np.int32) for _ in range(200)]


@pytest.fixture(scope="module")
def shoppers(lists: list[np.ndarray]) -> Shoppers:
    indptr = np.concatenate(([0], np.cumsum([len(one) for one in lists])))
    return Shoppers(indptr, np.concatenate(lists), N)


ROWS, WEIGHTS = np.array([3, -1, 21, 17, N - 1], np.int32), np.array([0.5, 9.0, 0.25, 1.0, 0.7])
CANDIDATES = np.array([5, -1, 3, 5, N - 1, 17, 30], np.int32)


def expected(lists: list[np.ndarray], rows: np.ndarray, weights: np.ndarray, most: int) -> np.ndarray:
    """The definition, shopper by shopper."""
    counts = np.bincount(np.concatenate(lists), minlength=N)
    said = []
    for own in lists:
        shared = sum(
            w * counts[r] ** -0.6
            for r, w in zip(rows.tolist(), weights.tolist(), strict=True)
            if r >= 0 and r in own
        )
        if shared:
            said.append(((shared / (counts[own] ** -0.6).sum() ** 0.5) ** 1.5, own))
    scores = np.zeros(N)
    for likeness, own in sorted(said, key=lambda one: -one[0])[:most]:
        scores[own] += likeness
    return scores / np.maximum(counts, 1) ** 0.2


@pytest.mark.parametrize("most", [500, 9])
def test_the_nearest_shoppers_speak_for_their_items(
    shoppers: Shoppers, lists: list[np.ndarray], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEIGHBOURS", most)
    wanted = expected(lists, ROWS, WEIGHTS, most)
    assert 0 < np.count_nonzero(wanted) < N
    for _ in range(2):  # the second call finds the scratch space clean
        found = shoppers.scores_at(ROWS, WEIGHTS, CANDIDATES)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, np.where(CANDIDATES < 0, 0, wanted[CANDIDATES]), rtol=1e-5)


def test_of_an_item_that_very_many_share_a_bounded_number_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = np.stack([np.zeros(20), np.arange(1, 21)], axis=1).astype(np.int32)
    many = Shoppers(np.arange(21) * 2, items.ravel(), 21)
    monkeypatch.setattr(module, "_MOST_SHOPPERS", 5)
    found, likeness = many.alike(np.array([0], np.int32), np.ones(1))
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert (likeness > 0).all()


def test_a_crowd_is_co_occurrence_less_of_the_active_and_the_popular(
    shoppers: Shoppers, lists: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = np.zeros((len(lists), N))
    for row, own in enumerate(lists):
        matrix[row, own] = 1
    popular = np.maximum(matrix.sum(axis=0), 1)
    together = matrix.T @ (matrix / matrix.sum(axis=1, keepdims=True) ** 0.7)
    known = [0, 2, 3, 4]
    wanted = (WEIGHTS[known] / popular[ROWS[known]] ** 0.6) @ together[ROWS[known]] / popular**0.2
    found = shoppers.scores_at(ROWS, WEIGHTS, CANDIDATES, crowd=True)
    np.testing.assert_allclose(found, np.where(CANDIDATES < 0, 0, wanted[CANDIDATES]), rtol=1e-5)
    monkeypatch.setattr(module, "CROWD", 20)
    assert len(shoppers.alike(ROWS, WEIGHTS, crowd=True)[0]) == 20
    assert len(shoppers.alike(ROWS, WEIGHTS)[0]) > 20


def test_an_empty_or_unknown_history_says_nothing(shoppers: Shoppers) -> None:
    for rows in (np.empty(0, np.int32), np.array([-1, N - 1], np.int32)):
        assert not shoppers.scores_at(rows, np.ones(len(rows)), CANDIDATES).any()


def test_several_threads_do_not_disturb_each_other(shoppers: Shoppers) -> None:
    rng = np.random.default_rng(0)
    asked = [rng.choice(N, 6, replace=False).astype(np.int32) for _ in range(100)]

    def answer(rows: np.ndarray) -> np.ndarray:
        return shoppers.scores_at(rows, np.ones(6), CANDIDATES)

    alone = [answer(rows) for rows in asked]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(answer, asked), strict=True):
            np.testing.assert_array_equal(one, other)
