"""Each model is what its formula says."""

import numpy as np
import pytest
import scipy.sparse as sp

from vitrine_export.train.co_visitation import fit_co_visitation
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.linear import ease_blocks, fit_linear
from vitrine_export.train.neighbours import assemble, top_of_dense, top_of_sparse
from vitrine_export.train.parameters import Parameters

RNG = np.random.default_rng(0)
TOY = (RNG.random((60, 15)) < 0.3).astype(float)


def interactions(matrix: np.ndarray, times: np.ndarray | None = None) -> Interactions:
    subjects, items = np.nonzero(matrix)
    return Interactions(
        subjects.astype(np.int32),
        items.astype(np.int32),
        np.ones(len(items)),
        times,
        matrix.shape[0],
        matrix.shape[1],
        np.full(len(items), 6, np.int8),
    )


def dense(model: object, n: int) -> np.ndarray:
    out = np.zeros((n, n))
    for row in range(n):
        own = slice(model.indptr[row], model.indptr[row + 1])  # type: ignore[attr-defined]
        out[row, model.indices[own]] = model.weights[own]  # type: ignore[attr-defined]
    return out


def test_ease_is_the_constrained_ridge_regression() -> None:
    gram = TOY.T @ TOY
    ridge = 2.0 * np.diag(gram).mean()
    found = np.concatenate([b for _, b in ease_blocks(sp.csr_array(TOY), 2.0)])
    # Not by the formula of the paper but by what it minimises: each column is a ridge regression on the others.
    for item in range(15):
        others = np.delete(np.arange(15), item)
        left = gram[np.ix_(others, others)] + ridge * np.eye(14)
        np.testing.assert_allclose(found[item, others], np.linalg.solve(left, gram[others, item]), atol=1e-10)
        assert found[item, item] == 0


def test_ease_in_several_blocks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate([b for _, b in ease_blocks(sp.csr_array(TOY), 2.0)])
    monkeypatch.setattr("vitrine_export.train.linear._BLOCK", 4)
    np.testing.assert_array_equal(whole, np.concatenate([b for _, b in ease_blocks(sp.csr_array(TOY), 2.0)]))


def test_linear_keeps_the_best_positive_sources_of_each_item() -> None:
    model = fit_linear(interactions(TOY), Parameters(neighbours=3), seed=0, ridge=2.0)
    assert model is not None
    toward = np.concatenate([b for _, b in ease_blocks(sp.csr_array(TOY), 2.0)])
    expected = np.zeros((15, 15))
    for item in range(15):
        for source in np.argsort(-toward[item])[:3]:
            expected[source, item] = max(toward[item, source], 0)
    # No item leads to more than twice as many.
    expected[expected <= np.sort(expected, axis=1)[:, -7:-6]] = 0
    np.testing.assert_allclose(dense(model, 15), expected, rtol=1e-6)


def test_co_visitation_is_the_squared_shrunken_cosine() -> None:
    model = fit_co_visitation(interactions(TOY), Parameters(neighbours=15))
    assert model is not None
    gram = TOY.T @ TOY
    norm = np.sqrt(np.diag(gram))
    expected = (gram / (np.outer(norm, norm) + 0.3 * np.diag(gram).mean())) ** 2
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(dense(model, 15), expected, rtol=1e-6)


def test_co_visitation_in_several_blocks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_co_visitation(interactions(TOY), Parameters(neighbours=4))
    monkeypatch.setattr("vitrine_export.train.co_visitation._BLOCK", 50)
    parts = fit_co_visitation(interactions(TOY), Parameters(neighbours=4))
    assert whole is not None
    assert parts is not None
    np.testing.assert_array_equal(whole.indices, parts.indices)
    np.testing.assert_array_equal(whole.weights, parts.weights)


def test_what_was_visited_together_goes_together_more_than_what_was_not() -> None:
    # One shopper, two visits: items 0 and 1, a day later 2 and 3.
    events = Interactions(
        np.zeros(4, np.int32),
        np.arange(4, dtype=np.int32),
        np.ones(4),
        np.array([0.0, 60, 86_400, 86_460]),
        1,
        4,
        np.full(4, 6, np.int8),
    )
    model = fit_co_visitation(events, Parameters(neighbours=3))
    assert model is not None
    found = dense(model, 4)
    assert found[0, 1] > found[0, 2] > 0
    assert found[2, 3] > found[2, 1]


def test_nobody_with_two_items_means_no_model() -> None:
    alone = interactions(np.eye(5))
    assert fit_co_visitation(alone, Parameters()) is None
    assert fit_linear(alone, Parameters(), seed=0) is None


def test_old_interest_counts_less_and_the_strongest_counts() -> None:
    day = 86_400.0
    events = Interactions(
        np.array([0, 0, 0], np.int32),
        np.array([0, 1, 1], np.int32),
        np.array([1.0, 0.5, 1.0]),
        np.array([0.0, 90 * day, 0.0]),
        1,
        3,
        np.array([6, 1, 6], np.int8),
    )
    np.testing.assert_allclose(events.by_subject(90 * day, 10).toarray(), [[0.5, 0.5, 0]])


def test_long_histories_keep_what_is_strongest() -> None:
    many = Interactions(
        np.zeros(50, np.int32),
        np.arange(50, dtype=np.int32),
        np.linspace(0.1, 1, 50),
        None,
        2,
        50,
        np.full(50, 6, np.int8),
    )
    kept = many.by_subject(1.0, 5)
    assert kept.shape == (2, 50)
    assert kept.indices.tolist() == [45, 46, 47, 48, 49]


@pytest.mark.parametrize("n", [50, 20_000])
def test_top_of_dense_is_exact(n: int) -> None:
    block = np.random.default_rng(1).normal(size=(6, n))
    block[0] = -1
    block[1, 7:] = -1  # fewer than k
    block[2] = 0.5  # ties
    block[3, :: max(n // 4096, 1)] = 9  # a sample that misleads
    row, column, weight = top_of_dense(block, 100, 10)
    for r in range(6):
        best = np.argsort(-block[r], kind="stable")[:10]
        best = best[block[r, best] > 0]
        assert column[row == 100 + r].tolist() == best.tolist()
        np.testing.assert_allclose(weight[row == 100 + r], block[r, best], rtol=1e-6)
    by_sparse = top_of_sparse(sp.csr_array(np.maximum(block[3:], 0)), 103, 10)
    np.testing.assert_allclose(by_sparse[2], weight[row >= 103], rtol=1e-6)


def test_assemble_bounds_what_an_item_leads_to() -> None:
    everything = (
        np.arange(1, 30, dtype=np.int32),
        np.zeros(29, np.int32),
        np.linspace(1, 2, 29).astype(np.float32),
    )
    model = assemble([everything], 30, limit=4)
    assert model.indices.tolist() == [29, 28, 27, 26]
    own = assemble([everything], 30, own=1, limit=40)
    assert dense(own, 30)[5, 0] == dense(own, 30)[0, 5] > 0
