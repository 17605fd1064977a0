"""Tuning within a training: on the lists that it makes anyway, and nothing decided where it was chosen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitrine_export.train.parameters import Parameters, RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import fit_reranker, held_out_fit, held_out_shoppers
from vitrine_export.tuning import within
from vitrine_export.tuning.search import search
from vitrine_export.tuning.stage import Found
from vitrine_export.tuning.within import Chosen, tune_reranker

HELD_OUT_FIT = "vitrine_export.tuning.within.held_out_fit"
# Trees that may look at one column each tell little: more columns are surely better.
SLOW = Parameters(trials=6, reranker=RerankerSettings(rounds=8, leaves=4, feature_share=0.25))


def lists(count: int = 1200, size: int = 12) -> RankingData:
    """Lists whose answer the sum of four columns tells, with some noise."""
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(count * size, 6)).astype(np.float32)
    worth = columns[:, :4].sum(1) + rng.normal(0, 0.5, count * size)
    labels = np.zeros((count, size), np.int8)
    labels[np.arange(count), worth.reshape(count, size).argmax(1)] = 1
    return RankingData(
        names=(
            "item.price",
            "item.popularity",
            "item.trend",
            "item.age_days",
            "item.found_by",
            "context.seeds",
        ),
        features=columns,
        labels=labels.ravel(),
        offsets=np.arange(count + 1, dtype=np.int64) * size,
        subjects=[f"u{i // 2}" for i in range(count)],
        window=np.zeros(count, np.int8),
        missed=np.zeros(count, np.int32),
    )


def chosen(folder: Path, parameters: Parameters = SLOW, data: RankingData | None = None) -> Chosen:
    found = tune_reranker(data or lists(), parameters, 0, folder)
    assert isinstance(found, Chosen)
    # Of two runs, the time is another's.
    return replace(found, tuned=replace(found.tuned, seconds=0.0))


def test_a_bad_start_is_left_and_the_trees_that_showed_it_are_used(tmp_path: Path) -> None:
    found = chosen(tmp_path)
    tuned = found.tuned
    assert tuned.better
    assert tuned.gain is not None
    assert tuned.gain.low > 0
    assert found.settings != SLOW.reranker
    assert found.settings.rounds == 8  # not searched
    assert tuned.without is not None
    assert "feature_share" in tuned.changes
    assert f"{tuned.without:.4f}" in tuned.sentence
    # What tuning has fitted is what training would fit.
    assert found.begun is not None
    with_them, anew = (
        fit_reranker(lists(), 0, settings=found.settings, begun=begun) for begun in (found.begun, None)
    )
    assert with_them is not None
    assert anew is not None
    assert with_them.model.data == anew.model.data
    assert with_them.ndcg == anew.ndcg
    assert with_them.settings == found.settings


def test_the_same_seed_finds_the_same_also_when_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = chosen(tmp_path / "one")
    fit, calls = held_out_fit, [0]

    def cut_off(*given: Any, **more: Any) -> Any:
        calls[0] += 1
        if calls[0] == 4:
            raise KeyboardInterrupt
        return fit(*given, **more)

    monkeypatch.setattr(HELD_OUT_FIT, cut_off)
    with pytest.raises(KeyboardInterrupt):
        chosen(tmp_path / "two")
    calls[0] = 4
    again = chosen(tmp_path / "two")
    assert (again.settings, again.tuned) == (whole.settings, whole.tuned)
    # Three of six trials were kept.
    assert calls[0] == 4 + 3 + 2


def test_no_trial_sees_who_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = lists()
    apart = {
        who for who, held in zip(data.subjects, held_out_shoppers(data.subjects, 0), strict=True) if held
    }
    fit = held_out_fit
    seen: list[bool] = []

    def watched(some: RankingData, *given: Any, **more: Any) -> Any:
        seen.append(bool(set(some.subjects) & apart))
        return fit(some, *given, **more)

    monkeypatch.setattr(HELD_OUT_FIT, watched)
    tuned = chosen(tmp_path, data=data).tuned
    assert seen == [False] * 6 + [True] * 2
    assert tuned.confirmed == sum(who in apart for who in data.subjects)
    assert tuned.compared < 0.35 * (len(data) - tuned.confirmed)


def test_trials_learn_from_no_more_than_takes_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(within, "_WORK", 8 * 3000)
    monkeypatch.setattr(within, "_FEWEST", 20)
    fit = held_out_fit
    sizes: list[int] = []

    def watched(some: RankingData, *given: Any, **more: Any) -> Any:
        sizes.append(len(some.labels))
        return fit(some, *given, **more)

    monkeypatch.setattr(HELD_OUT_FIT, watched)
    chosen(tmp_path)
    assert max(sizes[:6]) <= 3000
    assert sizes[6] == len(lists().labels)


def test_with_too_few_lists_it_says_so(tmp_path: Path) -> None:
    found = tune_reranker(lists(700), SLOW, 0, tmp_path)
    assert isinstance(found, str)
    assert "700 lists" in found
    assert "200 are needed for each, about 1,000 in all" in found


def test_lists_of_many_candidates_are_not_too_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By the time that a trial may take, there would be 20 lists.
    monkeypatch.setattr(within, "_WORK", 8 * 20 * 12)
    tuned = chosen(tmp_path).tuned
    assert tuned.trials == 6
    assert tuned.compared > 150


def test_the_estimator_has_a_say_in_eight_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def watched(*given: Any, at_random: int, **more: Any) -> Found:
        seen.append(at_random)
        return search(*given, at_random=at_random, **more)

    monkeypatch.setattr(within, "search", watched)
    chosen(tmp_path, replace(SLOW, trials=2))
    assert seen == [4]
