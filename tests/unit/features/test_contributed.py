"""Columns that plugins contribute: their names, their keys, and which of them models can read."""

import numpy as np
import pytest

from tests.unit.features.test_features import batch_of, regular
from vitrine.features import (
    Features,
    column,
    columns_of,
    keys_of,
    names_of,
    pinned,
    plugins_in,
    problem,
    rankers_in,
    unlike,
)
from vitrine.plugin import FeatureColumn

NAMES = ("item.price", "plugin:season.fits", "ranker:cf.share", "plugin:my-own.f4", "plugin:season.peak")


def test_a_bundle_pins_the_version_that_the_plugin_told() -> None:
    made = columns_of(
        "season", (FeatureColumn("fits", "how well it fits", 3), FeatureColumn("peak", "its peak"))
    )
    contributed = {c.name: c for c in made}
    keys = keys_of(NAMES, contributed)
    assert keys == [
        "item.price:f4:1",
        "plugin:season.fits:f4:3",
        "ranker:cf.share:f4:1",
        "plugin:my-own.f4:f4:1",
        "plugin:season.peak:f4:1",
    ]
    assert names_of(keys) == NAMES
    assert plugins_in(NAMES) == ("season", "my-own")
    assert rankers_in(NAMES) == ("cf",)
    assert pinned(keys) == {
        "season": {"plugin:season.fits": 3, "plugin:season.peak": 1},
        "my-own": {"plugin:my-own.f4": 1},
    }
    assert column("plugin:season.fits").group == "season"


def test_no_version_of_a_plugin_refuses_a_bundle() -> None:
    assert problem(["plugin:season.fits:f4:7", "item.price:f4:1"]) == ""
    assert "another version" in problem(["item.price:f4:2"])


@pytest.mark.parametrize(
    "key",
    [
        "plugin:season:f4:1",
        "plugin:season.Fits:f4:1",
        "plugin:.fits:f4:1",
        "plugin:season.fits.more:f4:1",
        "plugin:season.fits:f4:new",
        "plugin:season.fits:f4:",
        "plugin:season.fits",
        "plugin:season.fits:f4:1:f4:1",
    ],
)
def test_a_key_that_no_training_writes_refuses_a_bundle(key: str) -> None:
    assert problem([key])


def test_models_read_the_version_that_they_learned_from_and_no_other() -> None:
    made = columns_of(
        "season", (FeatureColumn("fits", "how well it fits", 2), FeatureColumn("peak", "its peak"))
    )
    assert unlike({"plugin:season.fits": 2}, made) == ""
    assert unlike({"plugin:season.fits": 1, "plugin:season.peak": 1}, made) == (
        "the bundle learned from version 1 of plugin:season.fits, here is 2: train again"
    )
    assert unlike({"plugin:season.gone": 1}, made) == (
        "the bundle learned from plugin:season.gone, which the plugin has no more: train again"
    )


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ((), "name at least one"),
        ([FeatureColumn("fits", "x")], "must be a tuple"),
        (("fits",), "must be a tuple"),
        ((FeatureColumn("Fits", "x"),), "'Fits' is no name of a column"),
        ((FeatureColumn("a:f4:1", "x"),), "is no name of a column"),
        ((FeatureColumn("a", "x"), FeatureColumn("a", "y")), "two columns have the name 'a'"),
        ((FeatureColumn("a", ""),), "the text of column 'a'"),
        ((FeatureColumn("a", "x" * 201),), "the text of column 'a'"),
        ((FeatureColumn("a", "x", -1),), "the version of column 'a'"),
        ((FeatureColumn("a", "x", True),), "the version of column 'a'"),
    ],
)
def test_columns_that_no_model_could_name_are_refused(columns: tuple[FeatureColumn, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        columns_of("season", columns)


def test_what_a_plugin_puts_is_there_and_what_it_does_not_is_missing() -> None:
    features = batch_of([["i1", "i2"], ["i3"]], [regular(), regular()]).features
    assert isinstance(features, Features)
    before = features.column("plugin:season.fits")
    assert np.isnan(before).all()
    assert not before.flags.writeable
    values = np.array([1, np.nan, 3], np.float32)
    features.put("season", {"fits": values})
    np.testing.assert_array_equal(features.column("plugin:season.fits"), values)
    assert np.isnan(features.column("plugin:season.peak")).all()
    np.testing.assert_array_equal(features.matrix(["plugin:season.fits"])[:, 0], values)
    # The plugin's own array stays its own: it may serve another request by now.
    values[:] = 9
    assert features.column("plugin:season.fits").tolist()[0] == 1


@pytest.mark.parametrize("name", ["plugin:season", "plugin:season.Fits", "other:cf.share", "ranker:cf.mean"])
def test_no_such_column(name: str) -> None:
    features = batch_of([["i1"]], [regular()], {"cf": np.ones(1, np.float32)}).features
    with pytest.raises(KeyError):
        features.column(name)


def test_nobody_changes_a_column_that_others_read() -> None:
    features = batch_of([["i1", "i2"]], [regular()], {"cf": np.ones(2, np.float32)}).features
    assert isinstance(features, Features)
    features.put("season", {"fits": np.ones(2, np.float32)})
    names = ("item.price", "item.trend", "history.views", "taste.brand", "shopper.events", "context.seeds")
    for name in (*names, "ranker:cf.share", "ranker:none.rank", "source:popular.share", "plugin:season.fits"):
        for _ in range(2):
            kept = features.column(name)
            with pytest.raises(ValueError, match="read-only"):
                kept[0] = 9
