"""From a data set to a bundle."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.unit.train.conftest import START, shop
from vitrine.bundle import load_bundle
from vitrine.content.text import text_hashes
from vitrine.dataset import Dataset
from vitrine.domain.items import Item
from vitrine.errors import BundleError, InvalidInput
from vitrine_export.train import Parameters, run, train

# Base models alone; what is fitted on top of them has tests of its own.
SMALL = Parameters(dimensions=16, neural=False, rerank=False)
# Every model, and little of each.
WHOLE = Parameters(dimensions=16, interest_epochs=1, label_windows=1, validate=False, trials=3)


def test_training_beats_popularity(dataset: Dataset, tmp_path: Path) -> None:
    stages: list[tuple[str, float]] = []
    report = train(dataset, tmp_path / "b", parameters=SMALL, progress=lambda s, x: stages.append((s, x)))
    metrics = report.manifest.metrics
    assert metrics["recall@20_linear"] > 1.3 * metrics["recall@20_popular"]
    assert metrics["recall@20_co_visitation"] > 1.3 * metrics["recall@20_popular"]
    shares = [share for _, share in stages]
    assert shares == sorted(shares)
    assert stages[-1] == ("done", 1.0)
    bundle = load_bundle(tmp_path / "b")
    assert bundle.version == report.manifest.version
    assert set(bundle.manifest.off) == {"shoppers", "factors", "interest", "deep", "lightgbm"}
    assert bundle.manifest.window.events == dataset.manifest.events
    assert bundle.manifest.window.subjects == 300
    assert bundle.linear is not None
    # Three neighbours out of four are of the same kind.
    kind = np.array([i.split("x")[0] for i in bundle.item_ids])
    first = bundle.linear.indices[bundle.linear.indptr[:-1]]
    assert (kind[first] == kind).mean() > 0.75


def test_same_seed_same_bundle_other_seed_another(dataset: Dataset, tmp_path: Path) -> None:
    one, other = (
        train(dataset, tmp_path / str(seed), parameters=SMALL, seed=seed).manifest for seed in (1, 2)
    )
    assert one.version != other.version


def test_every_model_is_the_same_twice_also_when_cut_off(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    # Tuning is part of it, on however few lists.
    monkeypatch.setattr("vitrine_export.tuning.within._FEWEST", 20)
    one = train(dataset, tmp_path / "one", parameters=WHOLE).manifest
    with monkeypatch.context() as patch:
        patch.setattr(run, "fit_base", cut)
        with pytest.raises(KeyboardInterrupt):
            train(dataset, tmp_path / "two", parameters=WHOLE, resume=tmp_path / "steps")
    # Networks on lists have checkpoints, too.
    assert {"fold-0", "fold-1", "all"} == {path.name for path in (tmp_path / "steps" / "deep").iterdir()}
    two = train(dataset, tmp_path / "two", parameters=WHOLE, resume=tmp_path / "steps").manifest
    assert set(one.models) == {"interest", "deep", "lightgbm"}
    # Visits are compared instead of shoppers, and factors are for data without times.
    assert set(one.off) == {"shoppers", "factors"}
    assert one.metrics == two.metrics
    assert one.version == two.version
    loaded = load_bundle(tmp_path / "one")
    assert loaded.interest is not None
    assert loaded.interest.vectors.shape[0] == len(loaded)


def test_vectors_of_training_are_those_of_serving(dataset: Dataset, tmp_path: Path) -> None:
    train(dataset, tmp_path / "b", parameters=SMALL)
    bundle = load_bundle(tmp_path / "b")
    assert bundle.content is not None
    table = dataset.items()
    assert table is not None
    titles = dict(table.select("item_id", "title").iter_rows())
    items = [Item(item_id=i, title=titles[i]) for i in bundle.item_ids]
    for row, item in enumerate(items):
        np.testing.assert_array_equal(bundle.content.encode([item])[0], bundle.content.vectors[row])
    np.testing.assert_array_equal(text_hashes(items), bundle.text_hashes)


def test_until_leaves_the_future_out(tmp_path: Path) -> None:
    whole = shop(tmp_path / "whole")
    cut = datetime.fromtimestamp(START, UTC) + timedelta(days=60)
    past = whole.events().filter(pl.col("time") < cut).collect()
    late = pl.DataFrame({"item_id": ["late"], "title": ["kind1 late"], "created_time": [cut]})
    table = whole.items()
    assert table is not None
    items = pl.concat(
        [table, late.with_columns(pl.col("created_time").dt.cast_time_unit("us"))], how="diagonal"
    )
    both = Dataset.write(tmp_path / "both", whole.events().collect(), items, name="shop", source="test")
    only = Dataset.write(tmp_path / "only", past, table, name="shop", source="test")
    a = train(both, tmp_path / "a", until=cut, parameters=SMALL).manifest
    b = train(only, tmp_path / "b", parameters=SMALL).manifest
    assert a.version == b.version
    assert a.window.last is not None
    assert a.window.last < cut
    assert "late" not in load_bundle(tmp_path / "a").row_of


def test_what_the_data_lacks_is_off_and_named(tmp_path: Path) -> None:
    bare = shop(tmp_path / "bare", times=False, texts=False)
    report = train(bare, tmp_path / "b", parameters=SMALL)
    assert report.manifest.off["content"] == "no item has a text, a category or a brand"
    lacking = {"content", "follows", "visits", "factors", "interest", "deep", "lightgbm"}
    assert set(report.manifest.off) == lacking
    assert "no order" in report.manifest.off["follows"]
    assert report.held_out == "a fifth of each shopper's items"
    assert report.manifest.metrics["recall@20_linear"] > report.manifest.metrics["recall@20_popular"]
    bundle = load_bundle(tmp_path / "b")
    assert bundle.content is None
    assert bundle.linear is not None
    with pytest.raises(InvalidInput, match="until: the data set has no times"):
        train(bare, tmp_path / "c", until=datetime(2026, 1, 1, tzinfo=UTC))


def test_without_an_item_table_items_come_from_events(dataset: Dataset, tmp_path: Path) -> None:
    bare = Dataset.write(tmp_path / "d", dataset.events().collect(), None, name="x", source="test")
    train(bare, tmp_path / "b", parameters=SMALL)
    bundle = load_bundle(tmp_path / "b")
    assert sorted(bundle.item_ids) == sorted(dataset.events().select("item_id").unique().collect()["item_id"])
    assert bundle.co_visitation is not None


def test_lonely_shoppers_leave_a_bundle_without_neighbours(tmp_path: Path) -> None:
    events = pl.DataFrame(
        {"event_id": ["1", "2"], "user_id": ["a", "b"], "item_id": ["x", "y"], "type": ["view", "purchase"]}
    )
    items = pl.DataFrame({"item_id": ["x", "y", "z"], "title": ["red mug", "blue mug", "red lamp"]})
    report = train(
        Dataset.write(tmp_path / "d", events, items, name="x", source="t"), tmp_path / "b", parameters=SMALL
    )
    assert set(report.manifest.off) == {
        "co_visitation",
        "linear",
        "follows",
        "visits",
        "shoppers",
        "factors",
        "validation",
        "interest",
        "deep",
        "lightgbm",
    }
    bundle = load_bundle(tmp_path / "b")
    assert bundle.content is not None
    assert len(bundle) == 3


def test_nothing_to_train_on(dataset: Dataset, tmp_path: Path) -> None:
    empty = Dataset.write(
        tmp_path / "d", pl.DataFrame({"event_id": ["1"], "type": ["search"]}), None, name="x", source="t"
    )
    with pytest.raises(InvalidInput, match="no events on items; nothing to train on"):
        train(empty, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_folder_that_is_no_bundle_is_left_alone(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(dataset.path, copy)
    with pytest.raises(BundleError, match="neither empty nor a bundle"):
        train(Dataset.open(copy), copy, parameters=SMALL)


def test_hidden_items_are_no_interest(tmp_path: Path) -> None:
    events = pl.DataFrame(
        {
            "event_id": list("123456"),
            "user_id": ["a", "a", "a", "b", "b", "b"],
            "item_id": ["x", "y", "y", "x", "z", "w"],
            "type": ["view", "view", "hide", "view", "view", "impression"],
        }
    )
    train(Dataset.write(tmp_path / "d", events, None, name="x", source="t"), tmp_path / "b", parameters=SMALL)
    bundle = load_bundle(tmp_path / "b")
    model, row = bundle.co_visitation, bundle.row_of
    assert model is not None
    rows = np.array([row[i] for i in "xxx"], np.int32)
    found = model.pairs(rows, np.array([row["y"], row["z"], row["w"]], np.int32))
    assert found[1] > 0
    assert found[[0, 2]].tolist() == [0, 0]
