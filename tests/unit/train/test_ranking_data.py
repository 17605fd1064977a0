"""Label windows, the questions of a window, and lists with what became of each candidate."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.unit.train.conftest import shop
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.domain.profile import DAY
from vitrine_export.exams.weeks import Window, label_queries, label_windows
from vitrine_export.train import Parameters, train, windows
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import fit_reranker, with_dropped
from vitrine_export.train.windows import feature_names


def data(features: np.ndarray, labels: list[int], sizes: list[int], names: tuple[str, ...]) -> RankingData:
    q = len(sizes)
    return RankingData(
        names,
        features.astype(np.float32),
        np.array(labels, np.int8),
        np.cumsum([0, *sizes]).astype(np.int64),
        [f"u:{i}" for i in range(q)],
        np.zeros(q, np.int8),
        np.zeros(q, np.int32),
    )


def test_windows_end_with_the_data_and_leave_enough_before_them() -> None:
    windows = label_windows(0.0, 1000 * DAY, 3)
    assert [round((w.end - w.start) / DAY) for w in windows] == [28, 28, 28]
    assert windows[-1].end > 1000 * DAY
    assert windows[0].end == windows[1].start
    short = label_windows(0.0, 10 * DAY, 20)
    assert len(short) == 5
    assert short[0].start >= 4 * DAY
    assert label_windows(5.0, 5.0, 3) == []


def test_questions_and_answers_of_a_window(tmp_path: Path) -> None:
    rows = [
        ("ann", "a", "purchase", 1),
        ("ann", "b", "purchase", 11),
        ("ann", "b", "purchase", 12),
        ("ann", "c", "view", 12),
        ("new", "a", "purchase", 12),
        ("new", "b", "purchase", 12),
        ("new", "c", "purchase", 12),
        ("new", "d", "purchase", 12),
        ("new", "e", "purchase", 15),
        ("late", "a", "purchase", 30),
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "type", "time"], orient="row").with_columns(
        pl.int_range(pl.len()).cast(pl.String).alias("event_id"),
        (pl.col("time") * 86_400_000_000).cast(pl.Datetime("us", "UTC")),
    )
    dataset = Dataset.write(tmp_path / "d", events, None, name="d", source="test")
    window = Window(10 * DAY, 20 * DAY)
    found = label_queries(dataset, window, home="home", cart="cart", limit=10, seed=0)
    assert [(q.subject, q.scene) for q in found] == [("u:ann", "home"), ("u:new", "cart")]
    assert found[0].targets == {"b"}
    # Half of the first basket is shown, the other half is the answer; what came later is neither.
    assert len(found[1].basket) == len(found[1].targets) == 2
    assert {*found[1].basket, *found[1].targets} == {"a", "b", "c", "d"}


def test_thinning_keeps_every_positive() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(300) < 0.1).astype(int).tolist()
    whole = data(np.arange(300)[:, None], labels, [100, 100, 100], ("item.price",))
    thin = whole.thinned(5, 0)
    assert thin.labels.sum() == sum(labels)
    assert (thin.sizes <= 5 + np.add.reduceat(labels, [0, 100, 200])).all()
    # Rows keep their features and labels.
    np.testing.assert_array_equal(np.array(labels)[thin.features[:, 0].astype(int)], thin.labels)
    same = whole.thinned(5, 0)
    np.testing.assert_array_equal(same.features, thin.features)


def test_lists_without_a_lesson_go() -> None:
    whole = data(np.zeros((4, 1)), [0, 0, 1, 1], [2, 2], ("item.price",))
    assert len(whole.thinned(10, 0)) == 0


def test_too_few_lists_leave_the_order_to_the_weights() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(20) < 3, 60).astype(int)
    lists = data(labels[:, None] + rng.normal(0, 1, (1200, 1)), labels.tolist(), [20] * 60, ("item.price",))
    assert fit_reranker(lists.take(np.arange(49)), 0, threads=1) is None
    fitted = fit_reranker(lists, 0, threads=1)
    assert fitted is not None
    # Nobody could be held out, so nothing told when to stop.
    assert (fitted.rounds, fitted.ndcg) == (50, {})


def test_many_candidates_mean_fewer_lists() -> None:
    config = load_config()
    assert windows.most_lists(10, 3, config) == 10
    # Three exams, two scenes, 500 candidates a list: eight million in all.
    assert windows.most_lists(3000, 3, config) == 2666
    assert windows.most_lists(9000, 3, config, cart=False) == 5333


def test_taking_lists() -> None:
    whole = data(np.arange(6)[:, None], [1, 0, 0, 1, 1, 0], [1, 3, 2], ("item.price",))
    some = whole.take(np.array([2, 0]))
    assert some.features[:, 0].tolist() == [4, 5, 0]
    assert some.subjects == ["u:2", "u:0"]


def test_whole_components_are_dropped_by_list() -> None:
    names = ("item.price", "ranker:cf.share", "ranker:cf.rank", "source:popular.share")
    whole = data(np.ones((400, 4)), [0] * 400, [4] * 100, names)
    columns = with_dropped(whole, 0, share=0.3).reshape(100, 4, 4)
    gone = np.isnan(columns)
    assert not gone[:, :, 0].any()
    assert (gone[:, 0, 1] == gone[:, 3, 2]).all()
    assert 15 < gone[:, 0, 1].sum() < 45
    assert (gone[:, 0, 1] != gone[:, 0, 3]).any()


def test_the_reranker_learns_and_lives_without_a_ranker() -> None:
    rng = np.random.default_rng(0)
    n = 60 * 200
    truth = rng.random(n)
    labels = (truth > 0.9).astype(int)
    near, far = truth + rng.normal(0, 0.1, n), truth + rng.normal(0, 0.4, n)
    noisy = np.stack([near, far, rng.random(n), -near], 1)
    names = ("ranker:cf.share", "ranker:content.share", "item.price", "ranker:cf.rank")
    lists = data(noisy, labels.tolist(), [60] * 200, names)
    fitted = fit_reranker(lists, 0, threads=1)
    assert fitted is not None
    assert fitted.ndcg["lightgbm"] > 0.6
    assert fitted.ndcg["lightgbm"] >= fitted.ndcg["cf"] - 0.02
    assert next(iter(fitted.importance)).startswith("ranker:cf.")
    again = fit_reranker(lists, 0, threads=1)
    assert again is not None
    assert again.model.data == fitted.model.data

    import lightgbm

    booster = lightgbm.Booster(model_str=fitted.model.data.decode())
    blind = lists.features.copy()
    blind[:, [0, 3]] = np.nan
    left = np.asarray(booster.predict(blind, num_threads=1)).reshape(200, 60)
    by_list = labels.reshape(200, 60)
    hits = np.take_along_axis(by_list, np.argsort(-left, 1)[:, :5], 1).mean()
    # The second ranker alone still tells a lot; chance is 0.1.
    assert hits > 0.25


def test_training_makes_a_reranker_from_its_own_lists(tmp_path: Path) -> None:
    dataset = shop(tmp_path / "shop")
    quick = Parameters(validate=False, neural=False, label_windows=2)
    report = train(dataset, tmp_path / "bundle", parameters=quick)
    assert report.rankers.reranker is not None
    assert "lightgbm" in report.manifest.models
    entry = report.manifest.models["lightgbm"]
    assert [key.split(":f4:")[0] for key in entry.features] == list(feature_names(load_config(), dataset.has))
    assert "ndcg@20_lightgbm" in report.manifest.metrics
    again = train(dataset, tmp_path / "again", parameters=quick)
    assert again.manifest.version == report.manifest.version


def test_data_without_times_has_no_reranker(tmp_path: Path) -> None:
    dataset = shop(tmp_path / "shop", times=False)
    report = train(dataset, tmp_path / "bundle", parameters=Parameters(neural=False))
    assert "no times" in report.manifest.off["lightgbm"]


def test_data_without_items_has_no_reranker(tmp_path: Path) -> None:
    events = shop(tmp_path / "shop").events().collect()
    bare = Dataset.write(tmp_path / "bare", events, None, name="x", source="test")
    report = train(bare, tmp_path / "bundle", parameters=Parameters(neural=False))
    assert report.manifest.off["lightgbm"].startswith("the data set has no table of items to make lists of")


def test_a_training_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitrine_export.train import run

    dataset = shop(tmp_path / "shop")
    quick = Parameters(validate=False, neural=False, label_windows=2)
    whole = train(dataset, tmp_path / "whole", parameters=quick)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "fit_base", cut)
        with pytest.raises(KeyboardInterrupt):
            train(dataset, tmp_path / "out", parameters=quick, resume=tmp_path / "steps")
    kept = sorted(path.name for path in (tmp_path / "steps").iterdir())
    assert {"window-0", "window-1"} <= set(kept)
    resumed = train(dataset, tmp_path / "out", parameters=quick, resume=tmp_path / "steps")
    assert resumed.manifest.version == whole.manifest.version
    assert not (tmp_path / "steps").exists()
