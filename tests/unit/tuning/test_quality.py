"""What orders are compared by."""

import numpy as np
import pytest

from vitrine_export.train.list_metrics import ndcg
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.tuning.quality import (
    by_list,
    folds,
    halves,
    metric_name,
    of_targets,
    to_choose,
    user_codes,
)


def lists(labels: list[list[int]], missed: list[int] | None = None) -> RankingData:
    sizes = [len(one) for one in labels]
    flat = np.array([label for one in labels for label in one], np.int8)
    return RankingData(
        names=("a",),
        features=np.zeros((len(flat), 1), np.float32),
        labels=flat,
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        subjects=[f"u:{i}" for i in range(len(labels))],
        window=np.zeros(len(labels), np.int8),
        missed=np.array(missed or [0] * len(labels), np.int32),
    )


def test_ndcg_of_each_list_has_the_mean_that_training_reports() -> None:
    rng = np.random.default_rng(0)
    data = lists([(rng.random(rng.integers(1, 60)) < 0.2).astype(int).tolist() for _ in range(50)], [1] * 50)
    scores = rng.random(len(data.labels)).astype(np.float32)
    assert np.nanmean(by_list(scores, data, "NDCG@20", 0)) == pytest.approx(ndcg(scores, data))


def test_mrr_is_the_reciprocal_place_of_the_first_answer() -> None:
    data = lists([[0, 0, 1], [1, 0], [0, 0], [0] * 25 + [1]], [0, 0, 1, 0])
    assert metric_name(data) == "MRR@20"
    scores = np.concatenate([[3, 2, 1], [2, 1], [1, 2], np.arange(26)[::-1]]).astype(np.float32)
    assert by_list(scores, data, "MRR@20", 0).tolist() == pytest.approx([1 / 3, 1, 0, 0])


def test_lists_with_several_answers_are_measured_by_ndcg() -> None:
    assert metric_name(lists([[1, 1, 0], [1, 0]])) == "NDCG@20"
    assert metric_name(lists([[1, 0], [1, 0]], [0, 1])) == "NDCG@20"


def test_a_list_in_which_nothing_was_wanted_has_no_figure() -> None:
    found = by_list(np.ones(4, np.float32), lists([[0, 0], [1, 1]]), "NDCG@20", 0)
    assert np.isnan(found[0])
    assert found[1] == 1


def test_equal_scores_stand_by_chance() -> None:
    data = lists([[1] + [0] * 9] * 500)
    flat = by_list(np.zeros(len(data.labels), np.float32), data, "MRR@20", 0)
    # The mean of 1/1 to 1/10, which an answer that always comes first would put at 1.
    assert flat.mean() == pytest.approx(np.mean(1 / np.arange(1, 11)), abs=0.04)


def test_items_without_a_score_were_not_found() -> None:
    scores = np.zeros(30, np.float32)
    assert of_targets(scores, np.array([3])) == 0
    scores[[5, 3]] = 2, 1
    assert of_targets(scores, np.array([3])) == pytest.approx(1 / np.log2(3))
    assert of_targets(scores, np.array([3, 5])) == pytest.approx(1)
    assert of_targets(np.ones(3, np.float32), np.array([0, 1, 2])) == pytest.approx(1)


def test_all_lists_of_a_shopper_are_on_one_side() -> None:
    subjects = [f"u:{i % 400}" for i in range(1200)]
    choose, fold = to_choose(subjects, 0.2, 0), folds(subjects, 4, 0)
    assert (choose[:400] == choose[400:800]).all()
    assert (fold[:400] == fold[400:800]).all()
    assert choose.mean() == pytest.approx(0.2, abs=0.08)
    # Folds have nothing to do with who is there to choose on.
    assert np.bincount(fold[~choose], minlength=4) / (~choose).sum() == pytest.approx([0.25] * 4, abs=0.08)
    codes = user_codes(subjects)
    assert (codes[:400] == codes[400:800]).all()
    assert len(set(codes.tolist())) == 400


def test_halves_share_nobody() -> None:
    choose, confirm = halves(101, 0)
    assert choose.sum() == 51
    assert (choose ^ confirm).all()
