"""Scores of item-item neighbours."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vitrine.bundle import ItemItem


@pytest.fixture(scope="module")
def model() -> ItemItem:
    rng = np.random.default_rng(1)
    n, rows = 200, []
    for _ in range(n):
        size = int(rng.integers(0, 30))
        rows.append((rng.choice(n, size, replace=False), np.sort(rng.random(size) + 0.01)[::-1]))
    indptr = np.concatenate(([0], np.cumsum([len(i) for i, _ in rows]))).astype(np.int64)
    return ItemItem(
        indptr,
        np.concatenate([i for i, _ in rows]).astype(np.int32),
        np.concatenate([w for _, w in rows]).astype(np.float32),
    )


@pytest.fixture(scope="module")
def matrix(model: ItemItem) -> np.ndarray:
    dense = np.zeros((len(model), len(model)))
    for row in range(len(model)):
        own = slice(model.indptr[row], model.indptr[row + 1])
        dense[row, model.indices[own]] = model.weights[own]
    return dense


ROWS = np.array([3, 150, -1, 3, 77, 12], np.int32)
WEIGHTS = np.array([1.0, 0.5, 9.0, 0.25, 2.0, 0.0])


def expected(matrix: np.ndarray) -> np.ndarray:
    known = ROWS >= 0
    return np.asarray(WEIGHTS[known] @ matrix[ROWS[known]])


def test_scores_are_the_weighted_sum_of_rows(model: ItemItem, matrix: np.ndarray) -> None:
    scores = model.scores(ROWS, WEIGHTS)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected(matrix), rtol=1e-6)


def test_scores_at_candidates_equal_scores(model: ItemItem, matrix: np.ndarray) -> None:
    candidates = np.array([5, -1, 199, 5, 0, 42, 150], np.int32)
    for _ in range(2):  # the second call finds the scratch space clean
        found = model.scores_at(ROWS, WEIGHTS, candidates)
        assert found[1] == 0
        known = candidates >= 0
        np.testing.assert_allclose(found[known], expected(matrix)[candidates[known]], rtol=1e-6)


def test_neighbours_are_the_positive_scores(model: ItemItem) -> None:
    rows, scores = model.neighbours(ROWS, WEIGHTS)
    everything = model.scores(ROWS, WEIGHTS)
    assert len(np.unique(rows)) == len(rows)
    np.testing.assert_array_equal(np.sort(rows[scores > 0]), np.flatnonzero(everything))
    np.testing.assert_array_equal(scores, everything[rows])
    again = model.neighbours(ROWS, WEIGHTS)  # finds the scratch space clean
    np.testing.assert_array_equal(again, (rows, scores))


def test_explain_names_the_largest_contribution(model: ItemItem, matrix: np.ndarray) -> None:
    candidates = np.arange(-1, len(model), dtype=np.int32)
    found = model.explain(ROWS, WEIGHTS, candidates)
    assert found[0] == -1
    shares = np.where((ROWS >= 0)[:, None], WEIGHTS[:, None] * matrix[ROWS], 0)
    best = np.where(shares.max(axis=0) > 0, shares.argmax(axis=0), -1)
    np.testing.assert_array_equal(found[1:], best)


def test_pairs_look_single_weights_up(model: ItemItem, matrix: np.ndarray) -> None:
    a = np.array([0, 1, -1, 150, 150], np.int32)
    b = np.array([1, 0, 2, model.indices[model.indptr[150]], -1], np.int32)
    found = model.pairs(a, b)
    assert found[3] > 0
    np.testing.assert_allclose(found, [matrix[0, 1], matrix[1, 0], 0, matrix[150, b[3]], 0], rtol=1e-6)


def test_an_empty_history_scores_nothing(model: ItemItem) -> None:
    none, nothing = np.empty(0, np.int32), np.empty(0)
    assert not model.scores(none, nothing).any()
    assert not model.scores_at(none, nothing, np.array([1, 2], np.int32)).any()
    assert model.neighbours(none, nothing)[0].size == 0
    assert (model.explain(none, nothing, np.array([1], np.int32)) == -1).all()


def test_threads_do_not_disturb_each_other(model: ItemItem, matrix: np.ndarray) -> None:
    def ask(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        candidates = rng.permutation(len(model))[:50].astype(np.int32)
        rows = rng.integers(0, len(model), 20).astype(np.int32)
        weights = rng.random(20)
        return np.allclose(
            model.scores_at(rows, weights, candidates), (weights @ matrix[rows])[candidates], rtol=1e-5
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(200)))


CANDIDATES = np.array([5, 9, -1, 150, 9, 42, 77, 3], np.int32)


def test_what_is_summed_is_the_table_by_columns(model: ItemItem) -> None:
    known = ROWS[ROWS >= 0]
    table = model.between(known, CANDIDATES)
    largest, total, counts = model.summed(known, CANDIDATES)
    np.testing.assert_array_equal(largest, table.max(axis=0))
    np.testing.assert_allclose(total, table.sum(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_array_equal(counts, (table > 0).sum(axis=0))
    assert table.any()
    nothing = model.summed(np.empty(0, np.int32), CANDIDATES)
    assert [column.tolist() for column in nothing] == [[0] * len(CANDIDATES)] * 3


def test_what_is_remembered_is_of_the_same_items_alone(model: ItemItem, matrix: np.ndarray) -> None:
    for rows in (ROWS, ROWS[:2], ROWS[1:3], ROWS):
        for candidates in (CANDIDATES, CANDIDATES[::-1].copy(), CANDIDATES[:1], CANDIDATES):
            for weights in (np.ones(len(rows)), np.arange(len(rows), dtype=np.float64)):
                known = rows >= 0
                wanted = weights[known] @ matrix[rows[known]][:, candidates]
                wanted[candidates < 0] = 0
                np.testing.assert_allclose(model.scores_at(rows, weights, candidates), wanted, atol=1e-5)
