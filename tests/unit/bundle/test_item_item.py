"""Scores of item-item neighbours."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vitrine.bundle import ItemItem
from vitrine.bundle.hits import between, summed


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


def test_what_is_summed_is_the_table_by_columns(model: ItemItem, matrix: np.ndarray) -> None:
    known, other = ROWS[ROWS >= 0], ItemItem(model.indptr, model.indices, model.weights * np.float32(3))
    hits = [one.hits(known, CANDIDATES) for one in (model, other)]
    table = between(hits)
    wanted = np.where(CANDIDATES >= 0, matrix[known][:, CANDIDATES], 0).T
    np.testing.assert_allclose(table, np.stack((wanted, 3 * wanted), axis=1), rtol=1e-6)
    largest, total, counts = summed(hits)
    np.testing.assert_array_equal(largest, table.max(axis=2).T)
    np.testing.assert_allclose(total, table.sum(axis=2, dtype=np.float64).T, rtol=1e-12)
    np.testing.assert_array_equal(counts, (table > 0).sum(axis=2).T)
    assert table.any()
    nothing = [model.hits(np.empty(0, np.int32), CANDIDATES)]
    assert [column.tolist() for column in summed(nothing)] == [[[0] * len(CANDIDATES)]] * 3
    assert between(nothing).shape == (len(CANDIDATES), 1, 0)


def test_of_what_was_looked_up_before_a_part_is_taken_out(model: ItemItem) -> None:
    fresh = ItemItem(model.indptr, model.indices, model.weights)
    many, some = np.array([3, 150, 77, 12, 9], np.int32), np.array([12, 150], np.int32)
    few = np.array([42, -1, 9, 42], np.int32)
    model.hits(many, CANDIDATES)
    # Rows that were not asked about are looked up.
    for rows in (some, np.array([150, 4], np.int32)):
        taken, found = (one.hits_of_some(rows, CANDIDATES) for one in (model, fresh))
        np.testing.assert_array_equal(between([taken]), between([found]))
        assert between([found]).any()
    weights = np.array([1.0, 0.5, 2.0, 0.25, 0.1])
    for candidates in (few, CANDIDATES[:3], np.array([1, 9], np.int32)):
        model.hits(many, CANDIDATES)
        wanted = ItemItem(model.indptr, model.indices, model.weights).explain(many, weights, candidates)
        np.testing.assert_array_equal(model.explain(many, weights, candidates), wanted)


def test_what_is_remembered_is_of_the_same_items_alone(model: ItemItem, matrix: np.ndarray) -> None:
    for rows in (ROWS, ROWS[:2], ROWS[1:3], ROWS):
        for candidates in (CANDIDATES, CANDIDATES[::-1].copy(), CANDIDATES[:1], CANDIDATES):
            for weights in (np.ones(len(rows)), np.arange(len(rows), dtype=np.float64)):
                known = rows >= 0
                wanted = weights[known] @ matrix[rows[known]][:, candidates]
                wanted[candidates < 0] = 0
                np.testing.assert_allclose(model.scores_at(rows, weights, candidates), wanted, atol=1e-5)


def test_what_is_remembered_is_of_what_was_asked_whatever_becomes_of_the_arrays(model: ItemItem) -> None:
    candidates, rows = np.arange(50, dtype=np.int32), np.array([3, 12, 77], np.int32)
    asked = candidates[10:20].copy()
    expected = between([model.hits(rows[1:2], asked)]), model.explain(rows[1:2], np.ones(1), asked)
    mine, theirs = np.array([12, 3, 77], np.int32), candidates.copy()
    model.scores_at(mine, np.ones(3), theirs)
    # A plugin uses its arrays again, for other items.
    mine[:], theirs[:] = [3, 77, 12], np.roll(candidates, 1)
    found = between([model.hits_of_some(rows[1:2], candidates)])[10:20]
    np.testing.assert_array_equal(found, expected[0])
    model.scores_at(mine[1:2], np.ones(1), theirs)
    theirs[:] = candidates
    np.testing.assert_array_equal(model.explain(rows[1:2], np.ones(1), asked), expected[1])


def test_rows_without_entries_lead_nowhere() -> None:
    empty = ItemItem(np.zeros(4, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    # The last row begins where the table ends.
    last = ItemItem(np.array([0, 1, 1, 1]), np.array([1], np.int32), np.ones(1, np.float32))
    everything, weights = np.arange(3, dtype=np.int32), np.ones(3)
    for model, expected in ((empty, [0, 0, 0]), (last, [0, 1, 0])):
        assert model.scores(everything, weights).tolist() == expected
        assert model.scores_at(everything, weights, everything).tolist() == expected
        assert model.neighbours(everything, weights)[0].tolist() == np.flatnonzero(expected).tolist()
        assert model.scores_at(everything[2:], weights[2:], everything).tolist() == [0, 0, 0]
