"""Trees that start where the weights of a scene leave off."""

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest

from vitrine.inference import TreeModel
from vitrine_export.train.list_metrics import ndcg
from vitrine_export.train.parameters import RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import fit_reranker
from vitrine_export.train.starting import share_weights, starting_trees

NAMES = ("ranker=cf.share", "item.price", "ranker=shoppers.share")
WEIGHTS = {"ranker=cf.share": 1.0, "ranker=shoppers.share": 0.5}


def candidates(n: int = 20_000, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    rng = np.random.default_rng(seed)
    columns = rng.random((n, 3)).astype(np.float32)
    odds = 4 * (columns[:, 0] + 0.5 * columns[:, 2]) - 5
    return columns, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)


def lists(weights: dict[str, float], count: int = 300, size: int = 60) -> RankingData:
    """Two rankers see the truth, each behind noise of its own: their mean is the best order there is."""
    rng = np.random.default_rng(0)
    truth = rng.random(count * size)
    features = np.stack([truth + rng.normal(0, 0.3, len(truth)) for _ in range(2)], 1).astype(np.float32)
    return RankingData(
        ("ranker:cf.share", "ranker:shoppers.share"),
        features,
        (truth > 0.9).astype(np.int8),
        np.arange(0, len(truth) + 1, size),
        [f"u:{i}" for i in range(count)],
        np.zeros(count, np.int8),
        np.zeros(count, np.int32),
        weights=weights,
    )


def test_weights_are_those_of_columns_that_are_there() -> None:
    weights = {"cf": 1.0, "shoppers": 0.0, "deep": 2.0, "source:popular": 0.2}
    names = ("ranker:cf.share", "ranker:shoppers.share", "source:popular.share", "item.price")
    assert share_weights(weights, names) == {"ranker:cf.share": 1.0, "source:popular.share": 0.2}


def test_the_score_is_the_weighted_sum_as_log_odds() -> None:
    columns, labels = candidates()
    booster = starting_trees(columns, labels, NAMES, WEIGHTS, seed=0)
    scores = booster.predict(columns)
    total = columns[:, 0] + 0.5 * columns[:, 2]
    slope, odds = np.polyfit(total, scores, 1)
    # Steps of less than a hundredth, and what the labels were drawn with.
    assert np.abs(scores - slope * total - odds).max() < 0.1
    assert np.abs(scores - slope * total - odds).mean() < 0.01
    assert slope == pytest.approx(4, abs=0.3)
    assert odds == pytest.approx(-5, abs=0.3)


def test_what_is_missing_counts_as_nothing_and_changes_nothing_else() -> None:
    columns, labels = candidates()
    columns[::5, 0] = np.nan
    booster = starting_trees(columns, labels, NAMES, WEIGHTS, seed=0)
    blank, zero = columns.copy(), columns.copy()
    blank[:, 0], zero[:, 0] = np.nan, 0.0
    assert np.abs(booster.predict(blank) - booster.predict(zero)).max() < 0.1
    other = columns.copy()
    other[:, 1] = 7.0
    np.testing.assert_array_equal(booster.predict(other), booster.predict(columns))


@pytest.mark.parametrize("labels", [np.zeros(100, np.int8), np.ones(100, np.int8), np.arange(100) < 10])
def test_nothing_to_go_by_is_no_start(labels: npt.NDArray[np.int8]) -> None:
    columns = np.repeat(np.linspace(0, 1, 100, dtype=np.float32)[:, None], 3, axis=1)
    assert starting_trees(columns, labels.astype(np.int8), NAMES, WEIGHTS, seed=0) is None
    assert starting_trees(columns, labels.astype(np.int8), NAMES, {}, seed=0) is None


@pytest.mark.parametrize("objective", ["lambdarank", "binary"])
def test_the_reranker_starts_with_the_weights_and_is_served(objective: str) -> None:
    data = lists({"cf": 1.0, "shoppers": 1.0, "nobody": 3.0})
    settings = RerankerSettings(start=True, objective=objective, leaves=7, rounds=20)
    fitted = fit_reranker(data, 0, settings=settings, threads=1)
    assert fitted is not None
    # Two columns, two trees each.
    assert lightgbm.Booster(model_str=fitted.model.data.decode()).num_trees() == fitted.rounds + 4
    assert sum(fitted.importance.values()) == pytest.approx(1)
    assert min(fitted.importance.values()) >= 0
    trees = TreeModel(fitted.model.data)
    golden = fitted.model.golden_inputs["features"]
    np.testing.assert_allclose(
        trees.predict(golden), fitted.model.golden_outputs["score"], atol=fitted.model.tolerance
    )
    # As good as the sum, give or take what is learned by heart; one ranker alone is far worse.
    assert ndcg(trees.predict(data.features), data) > ndcg(data.features.sum(axis=1), data) - 0.01


def test_without_a_start_nothing_is_weighed() -> None:
    fitted = fit_reranker(lists({"cf": 1.0}), 0, settings=RerankerSettings(leaves=7, rounds=20), threads=1)
    assert fitted is not None
    assert lightgbm.Booster(model_str=fitted.model.data.decode()).num_trees() == fitted.rounds
