"""Tuning as a whole, on a small simulated shop."""

import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitrine.config import Config, load_config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine.features.scale import shares as feature_shares
from vitrine.ranking.blend import normalise
from vitrine_export.kinds import Kind
from vitrine_export.train.parameters import Parameters, RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.tuning import TuneReport, tune
from vitrine_export.tuning.lists import kept_lists
from vitrine_export.tuning.stage import Tried
from vitrine_export.tuning.toml import tables_of

QUICK = Parameters(
    dimensions=16, neural=False, label_windows=2, reranker=RerankerSettings(rounds=10, leaves=7)
)


def without_rerankers() -> Config:
    """The default configuration, where weights order every scene."""
    config = load_config()
    scenes = {name: scene.model_copy(update={"reranker": ""}) for name, scene in config.scenes.items()}
    return config.model_copy(update={"scenes": scenes})


def trials(report: TuneReport) -> list[list[Tried]]:
    """The trials, without how long they took."""
    return [[Tried(t.number, t.values, t.quality, 0) for t in stage.tried] for stage in report.stages]


def test_the_same_seed_and_number_of_trials_find_the_same(dataset: Dataset, tmp_path: Path) -> None:
    one = tune(dataset, parameters=QUICK, trials=2)
    assert [stage.title for stage in one.stages] == ["the item-item models", "the reranker"]
    assert [len(stage.tried) for stage in one.stages] == [2, 2]
    assert all(0 < t.quality < 1 for stage in one.stages for t in stage.tried)
    other = tune(dataset, parameters=QUICK, trials=2, resume=tmp_path / "search")
    assert trials(one) == trials(other)
    assert one.toml() == other.toml()
    # With more trials it goes on, and makes no lists a second time.
    said: list[str] = []
    more = tune(
        dataset,
        parameters=QUICK,
        trials=3,
        resume=tmp_path / "search",
        progress=lambda what, _: said.append(what),
    )
    assert [stage[:2] for stage in trials(more)] == trials(one)
    assert [len(stage.tried) for stage in more.stages] == [3, 3]
    assert not any("lists" in what or "content" in what for what in said)


def test_a_bad_start_is_left_and_the_file_says_by_how_much(dataset: Dataset, tmp_path: Path) -> None:
    bad = Parameters(
        dimensions=16, neural=False, label_windows=1, rerank=False, half_life_days=0.2, neighbours=2
    )
    report = tune(dataset, parameters=bad, trials=14, tables=tables_of(bad, {"seed": 3}))
    (stage,) = report.stages
    assert stage.better
    assert stage.gain is not None
    assert stage.gain.low > 0
    path = tmp_path / "tuned.toml"
    path.write_text(report.toml())
    kind = Kind.load(str(path))
    assert kind.parameters.half_life_days > 0.2
    assert {"half_life_days": kind.parameters.half_life_days}.items() <= stage.values.items()
    # What was there and not searched, stays.
    assert kind.parameters.dimensions == 16
    assert kind.config().seed == 3
    assert report.kind(Kind("bad", bad, {"seed": 3})).parameters == kind.parameters
    assert report.kind(Kind("bad", bad, {"seed": 3})).config() == kind.config()
    assert f"{stage.gain.low:+.4f}" in report.toml()
    assert "14 trials" in report.toml()


def test_where_nothing_is_better_the_defaults_stay(dataset: Dataset) -> None:
    report = tune(dataset, parameters=QUICK, trials=1)
    assert not report.better
    assert all("nothing beat the defaults" in stage.verdict for stage in report.stages)
    assert tomllib.loads(report.toml()) == {}
    assert "Nothing is changed" in report.toml()


def test_weights_are_searched_where_no_reranker_orders(dataset: Dataset) -> None:
    config = without_rerankers()
    home = config.scenes["home"]
    # Popularity before everything: easy to beat.
    weights = {"source:popular": 1.0, "source:bought_again": 0.01, "cf": 0.01}
    config = config.model_copy(
        update={"scenes": {"home": home.model_copy(update={"weights": weights, "reranker": ""})}}
    )
    report = tune(dataset, parameters=QUICK, config=config, trials=20)
    stage = report.stages[-1]
    assert stage.title == "the weights of home"
    assert stage.better
    found = tomllib.loads(report.toml())["serving"]["scenes"]["home"]["weights"]
    assert found == stage.changed
    assert "source:popular" not in found  # the largest stays
    assert max(found.values()) > 0.05


def test_weights_count_as_in_the_blend_that_serves() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(60, 3)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.3] = np.nan
    scores[:, 1] = np.abs(scores[:, 1])
    offsets = np.array([0, 25, 60], np.int64)
    columns = np.column_stack([feature_shares(column, offsets) for column in scores.T])
    served = np.concatenate([normalise(scores[a:b]) for a, b in pairwise(offsets.tolist())])
    np.testing.assert_allclose(np.nan_to_num(columns), served, rtol=1e-6)


@pytest.mark.parametrize("kind", ["check-ins", "sequences", "sessions"])
def test_data_without_times_is_tuned_too(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for who in range(300):
        group = int(rng.integers(5))
        items = group * 12 + rng.permutation(12)[: rng.integers(4, 9)]
        rows += [(f"u{who}", f"i{item}") for item in items.tolist()]
    events = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row").with_columns(
        type=pl.lit("view"), event_id=pl.int_range(pl.len()).cast(pl.String)
    )
    catalog = pl.DataFrame({"item_id": [f"i{n}" for n in range(60)]})
    dataset = Dataset.write(
        tmp_path / "data", events, catalog, name="clicks", source="test", ordered=kind != "check-ins"
    )
    chosen = Kind.load(kind)
    report = tune(dataset, parameters=chosen.parameters, config=chosen.config(), trials=2)
    models = report.stages[0]
    # Nothing about time is searched where there is none.
    assert not {"half_life_days", "session_gap_minutes"} & set(models.values)
    assert [len(stage.tried) for stage in report.stages] == [2, 2]
    assert report.stages[1].metric == ("NDCG@20" if kind == "check-ins" else "MRR@20")


def test_too_little_data_is_refused_with_the_reason(tmp_path: Path) -> None:
    events = pl.DataFrame(
        {"user_id": ["a", "b"], "item_id": ["x", "y"], "type": ["view"] * 2, "event_id": ["1", "2"]}
    )
    few = Dataset.write(tmp_path, events, None, name="few", source="test")
    with pytest.raises(InvalidInput, match=r"item-item models: no shopper .*; tune on more data"):
        tune(few, parameters=QUICK, trials=2)


def test_a_search_needs_an_end(dataset: Dataset) -> None:
    with pytest.raises(InvalidInput, match="how long"):
        tune(dataset, parameters=QUICK)


def test_other_settings_are_another_search(dataset: Dataset, tmp_path: Path) -> None:
    tune(dataset, parameters=Parameters(rerank=False), trials=1, resume=tmp_path / "search")
    with pytest.raises(InvalidInput, match="other data, settings"):
        tune(dataset, parameters=Parameters(rerank=False), trials=1, seed=1, resume=tmp_path / "search")


def test_lists_are_kept_and_made_again_where_they_are_damaged(tmp_path: Path) -> None:
    data = RankingData(
        names=("a",),
        features=np.ones((2, 1), np.float32),
        labels=np.array([0, 1], np.int8),
        offsets=np.array([0, 2], np.int64),
        subjects=["u:1"],
        window=np.zeros(1, np.int8),
        missed=np.zeros(1, np.int32),
    )
    assert kept_lists(tmp_path / "l", lambda: data) is data
    kept = kept_lists(tmp_path / "l", pytest.fail)
    assert kept is not None
    assert (kept.names, kept.subjects, kept.labels.tolist()) == (("a",), ["u:1"], [0, 1])
    (tmp_path / "l" / "labels.npy").write_bytes(b"\x93NUMPY")
    assert kept_lists(tmp_path / "l", lambda: data) is data
    assert kept_lists(tmp_path / "none", lambda: None) is None
