"""Factors are the leading directions of who was interested in what; shoppers are kept as they are."""

from itertools import pairwise

import numpy as np

from vitrine_export.train.factors import fit_factors
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.shoppers import fit_shoppers

RNG = np.random.default_rng(1)
S, N = 70, 20
TOY = (RNG.random((S, N)) < RNG.uniform(0.05, 0.5, N)).astype(float)
TOY[:, -1] = 0  # nobody's item
TOY[0] = 0
TOY[1] = np.eye(N)[2]  # of one item alone


def interactions(matrix: np.ndarray = TOY) -> Interactions:
    subjects, items = np.nonzero(matrix)
    return Interactions(
        subjects.astype(np.int32),
        items.astype(np.int32),
        np.ones(len(items)),
        None,
        matrix.shape[0],
        matrix.shape[1],
        np.full(len(items), 6, np.int8),
    )


def test_factors_are_the_ideal_low_pass_filter() -> None:
    model = fit_factors(interactions(), Parameters(factors=5), seed=0)
    assert model is not None
    assert model.vectors.shape == (N, 5)
    popular, active = np.maximum(TOY.sum(axis=0), 1), np.maximum(TOY.sum(axis=1, keepdims=True), 1)
    _, _, right = np.linalg.svd(TOY / np.sqrt(active) / np.sqrt(popular))
    projection = right[:5].T @ right[:5]
    history = np.array([1, 4], np.int32)
    everything = np.arange(N, dtype=np.int32)
    wanted = (projection[history] / np.sqrt(popular[history])[:, None]).sum(axis=0) * np.sqrt(popular)
    found = model.scores_at(history, np.ones(2), everything)
    assert found[-1] == 0
    # The iteration stops early; another exponent, or a factor less, is off by several times as much.
    np.testing.assert_allclose(found[:-1] / N, wanted[:-1], atol=5e-3)


def test_more_factors_than_there_are_and_none_at_all() -> None:
    model = fit_factors(interactions(), Parameters(factors=500), seed=0)
    assert model is not None
    assert model.vectors.shape == (N, N - 1)
    assert fit_factors(interactions(), Parameters(factors=0), seed=0) is None
    assert fit_factors(interactions(np.eye(6)), Parameters(factors=3), seed=0) is None


def test_factors_of_one_seed_are_the_same() -> None:
    one, other = (fit_factors(interactions(), Parameters(factors=4), seed=3) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.vectors, other.vectors)


def test_shoppers_of_two_items_or_more_are_kept() -> None:
    model = fit_shoppers(interactions(), Parameters(), seed=0)
    assert model is not None
    wanted = sorted(np.flatnonzero(row).tolist() for row in TOY if row.sum() >= 2)
    assert sorted(sorted(model.items[a:b].tolist()) for a, b in spans(model)) == wanted


def test_only_so_many_shoppers_are_kept_and_a_seed_draws_them() -> None:
    drawn = [fit_shoppers(interactions(), Parameters(), seed=seed, most=10) for seed in (0, 0, 1)]
    items = [model.items.tolist() for model in drawn if model is not None]
    assert [len(model) for model in drawn if model is not None] == [10, 10, 10]
    assert items[0] == items[1] != items[2]


def test_long_histories_are_cut() -> None:
    model = fit_shoppers(interactions(), Parameters(max_history=3), seed=0)
    assert model is not None
    assert max(b - a for a, b in spans(model)) == 3


def test_nobody_with_two_items_means_no_shoppers() -> None:
    assert fit_shoppers(interactions(np.eye(6)), Parameters(), seed=0) is None


def spans(model: object) -> list[tuple[int, int]]:
    return list(pairwise(model.indptr.tolist()))  # type: ignore[attr-defined]
