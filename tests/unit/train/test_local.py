"""The linear model of large catalogues is a ridge regression on the most similar items."""

import numpy as np
import pytest
import scipy.sparse as sp

from vitrine_export.train.interactions import Interactions
from vitrine_export.train.linear import ease_blocks, fit_linear
from vitrine_export.train.local import CHOICE_EXPONENT, ITEM_EXPONENT, USER_EXPONENT, local_triples
from vitrine_export.train.parameters import Parameters

RNG = np.random.default_rng(3)
N = 24
# Popular items and others, active shoppers and others; the last item has nobody.
TOY = (RNG.random((80, N)) < RNG.uniform(0.05, 0.5, N) * RNG.uniform(0.4, 1.6, (80, 1))).astype(float)
TOY[:, -1] = 0
# What an item may lead to, twice as many as lead to it, is more than there are.
LARGE = Parameters(max_ease_items=5, neighbours=13)


def weights(matrix: np.ndarray, ridge: float, k: int) -> np.ndarray:
    """By predicted item."""
    found = np.zeros((N, N))
    for _, (target, source, weight) in local_triples(sp.csr_array(matrix), ridge, k):
        assert (found[target, source] == 0).all()
        found[target, source] = weight
    return found


def expected(matrix: np.ndarray, ridge: float, k: int) -> np.ndarray:
    """The same, item by item with dense matrices."""
    popular = np.maximum((matrix**2).sum(axis=0), 1e-9)
    active = np.maximum((matrix > 0).sum(axis=1, keepdims=True), 1)
    scaled = matrix / active**USER_EXPONENT / popular**ITEM_EXPONENT
    gram = scaled.T @ scaled
    diagonal = np.diag(gram)
    alike = gram * popular ** (ITEM_EXPONENT - CHOICE_EXPONENT)
    out = np.zeros((N, N))
    for item in np.flatnonzero(diagonal > 0):
        order = np.argsort(-np.delete(alike[item], item), kind="stable")[:k]
        chosen = np.delete(np.arange(N), item)[order]
        chosen = chosen[gram[item, chosen] > 0]
        left = gram[np.ix_(chosen, chosen)] + ridge * diagonal[diagonal > 0].mean() * np.eye(len(chosen))
        solved = np.linalg.solve(left, gram[chosen, item])
        out[item, chosen] = solved * popular[item] ** ITEM_EXPONENT / popular[chosen] ** ITEM_EXPONENT
    return np.maximum(out, 0)


@pytest.mark.parametrize("k", [1, 5, 23, 40])
def test_each_item_is_regressed_on_the_items_most_like_it(k: int) -> None:
    np.testing.assert_allclose(weights(TOY, 0.5, k), expected(TOY, 0.5, k), rtol=2e-4, atol=1e-6)


def test_strengths_count_as_they_are() -> None:
    strong = TOY * RNG.uniform(0.2, 1.0, TOY.shape)
    np.testing.assert_allclose(weights(strong, 2.0, 6), expected(strong, 2.0, 6), rtol=2e-4, atol=1e-6)


def test_a_smaller_ridge_tells_apart_what_repeats_another_item() -> None:
    # Item 1 goes with 0, and 2 with 1 alone: what 2 says of 0 is said by 1 already.
    chain = np.zeros((60, N))
    chain[:40, 0] = chain[:50, 1] = 1
    chain[10:50, 2] = 1
    chain[30:60, 3:9] = 1
    light, heavy = weights(chain, 0.01, 10), weights(chain, 100.0, 10)
    assert light[0, 2] < 0.3 * light[0, 1]
    assert heavy[0, 2] > 0.5 * heavy[0, 1]


def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights(TOY, 1.0, 6)
    monkeypatch.setattr("vitrine_export.train.local._ITEMS", 3)
    monkeypatch.setattr("vitrine_export.train.local._PRODUCTS", 40)
    # The solver's batches differ, so do its last digits.
    np.testing.assert_allclose(weights(TOY, 1.0, 6), whole, rtol=1e-4)


def test_progress_ends_with_the_last_item() -> None:
    done = [stop for stop, _ in local_triples(sp.csr_array(TOY), 1.0, 4)]
    assert done == sorted(done)
    assert done[-1] == N


def test_large_catalogues_are_fitted_item_by_item() -> None:
    subjects, items = np.nonzero(TOY)
    events = Interactions(
        subjects.astype(np.int32),
        items.astype(np.int32),
        np.ones(len(items)),
        None,
        TOY.shape[0],
        TOY.shape[1],
        np.full(len(items), 6, np.int8),
    )
    told: list[float] = []
    model = fit_linear(events, LARGE, seed=0, ridge=0.5, progress=told.append)
    assert model is not None
    assert told[-1] == 1.0
    toward = expected(TOY, 0.5, 13)
    np.testing.assert_array_equal(np.bincount(model.indices, minlength=N), (toward > 0).sum(axis=1))
    history = np.array([0, 3, 7], np.int32)
    np.testing.assert_allclose(
        model.scores(history, np.array([1.0, 0.5, 2.0])), toward[:, history] @ [1, 0.5, 2], rtol=1e-4
    )


def test_nobody_with_two_items_means_no_large_model() -> None:
    alone = Interactions(
        np.arange(20, dtype=np.int32),
        np.arange(20, dtype=np.int32),
        np.ones(20),
        None,
        20,
        20,
        np.full(20, 6, np.int8),
    )
    assert fit_linear(alone, LARGE, seed=0) is None
    nobody = alone.where(np.zeros(20, np.bool_))
    assert fit_linear(nobody, LARGE, seed=0) is None


def _vectors() -> np.ndarray:
    vectors = np.random.default_rng(5).normal(size=(N, 6))
    vectors[-2] = 0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def test_content_counts_as_more_rows_of_the_matrix() -> None:
    # With all items as neighbours it is the regression on both at once.
    vectors, ridge, share = _vectors(), 0.5, 0.3
    popular = np.maximum((TOY**2).sum(axis=0), 1e-9)
    active = np.maximum((TOY > 0).sum(axis=1, keepdims=True), 1)
    scaled = TOY / active**USER_EXPONENT / np.where(popular > 1e-9, popular, 1) ** ITEM_EXPONENT
    diagonal = np.diag(scaled.T @ scaled)
    strength = ridge * diagonal[diagonal > 0].mean()
    gram = scaled.T @ scaled + share * strength * (vectors @ vectors.T)
    found = np.zeros((N, N))
    for _, (target, source, weight) in local_triples(sp.csr_array(TOY), ridge, 2 * N, vectors, share):
        found[target, source] = weight
    alike = scaled.T @ scaled > 0
    power = np.where(popular > 1e-9, popular, 1) ** ITEM_EXPONENT
    for item in range(N):
        chosen = np.flatnonzero((alike[item] | (vectors @ vectors[item] > 0)) & (np.arange(N) != item))
        left = gram[np.ix_(chosen, chosen)] + strength * np.eye(len(chosen))
        solved = np.maximum(np.linalg.solve(left, gram[chosen, item]), 0) * power[item] / power[chosen]
        np.testing.assert_allclose(found[item, chosen], solved, rtol=1e-3, atol=1e-5)


def test_an_item_that_nobody_took_is_found_by_its_content() -> None:
    found: dict[float, list[int]] = {}
    for share in (0.0, 0.3):
        for _, (target, _, _) in local_triples(sp.csr_array(TOY), 0.5, 10, _vectors(), share):
            found.setdefault(share, []).extend(target.tolist())
    assert N - 1 not in found[0.0]
    assert N - 1 in found[0.3]


def test_content_counts_in_the_closed_form_too() -> None:
    vectors = _vectors()
    told = {
        share: np.concatenate([b for _, b in ease_blocks(sp.csr_array(TOY), 1.0, vectors, share)])
        for share in (0.0, 0.3)
    }
    gram = TOY.T @ TOY
    strength = np.diag(gram)[np.diag(gram) > 0].mean()
    for share, found in told.items():
        inverse = np.linalg.inv(gram + share * strength * (vectors @ vectors.T) + strength * np.eye(N))
        expected = -inverse / np.diag(inverse)[:, None]
        np.fill_diagonal(expected, 0)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
