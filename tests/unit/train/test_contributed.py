"""Which plugins' columns are learned from, and what is said of the others."""

import numpy as np
import pytest

from tests.unit.train.test_ranking_data import data
from vitrine.config import load_config
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.columns import Column
from vitrine.errors import ConfigError
from vitrine.hosting import Plugin
from vitrine_export.train.contributed import Contributions, refuse_unknown
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import fit_reranker, with_dropped

FITS = Column("plugin:season.fits", "season", "how well it fits the season", 4)
PEAK = Column("plugin:season.peak", "season", "when it sells best")
COLOUR = Column("plugin:colour.red", "colour", "how red it is")


def lists(*, leak: float) -> RankingData:
    """Two hundred lists of twenty; a column that tells what was taken as well as ``leak`` says, beside noise."""
    rng = np.random.default_rng(0)
    n = 200 * 20
    labels = (rng.random(n) > 0.85).astype(int)
    columns = np.stack([labels + rng.normal(0, 1, n), leak * labels + rng.normal(0, 0.5, n)], 1)
    found = data(columns, labels.tolist(), [20] * 200, ("item.price", FITS.name))
    return RankingData(
        found.names,
        found.features,
        found.labels,
        found.offsets,
        found.subjects,
        found.window,
        found.missed,
        contributed={FITS.name: FITS},
    )


def test_a_name_that_nothing_has_is_refused_with_the_nearest() -> None:
    config = load_config().model_copy(update={"features": ("seasn",)})
    with pytest.raises(ConfigError, match=r"'seasn'.*did you mean 'season'"):
        refuse_unknown(config, [Plugin("season", "", None), Plugin("cf", "", None)])
    refuse_unknown(config.model_copy(update={"features": ("cf",)}), [Plugin("cf", "", None)])


def test_what_a_plugin_contributes_is_asked_window_by_window() -> None:
    told = Contributions(("season", "colour", "season", "broken"))
    told.enter({"season": (FITS, PEAK), "colour": (COLOUR,)}, {"broken": "failed to load: ImportError"})
    assert told.plugins == ("season", "colour")
    assert list(told.columns) == [FITS.name, PEAK.name, COLOUR.name]
    assert told.off == {"features:broken": "failed to load: ImportError"}
    told.enter({"season": (FITS,), "colour": (COLOUR,)}, {})
    assert told.off["features:season"] == "its columns are not the same for every bundle"
    told.enter({}, {})
    assert told.off["features:colour"] == "it contributes no columns"
    assert not told.columns


def test_a_plugin_that_failed_once_is_in_none_of_the_lists() -> None:
    told = Contributions(("season", "colour"))
    told.enter({"season": (FITS,), "colour": (COLOUR,)}, {})
    names = ("item.price", FITS.name, COLOUR.name)
    first = data(np.arange(12).reshape(4, 3), [0, 1, 0, 1], [2, 2], names)
    told.saw([Degradation("ranker:cf", DegradationCode.FAILED, "the plugin failed")])
    assert not told.off
    assert told.kept(first) is first
    told.saw([Degradation("features:season", DegradationCode.FAILED, "the plugin failed")])
    assert told.off == {"features:season": "the plugin failed"}
    left = told.kept(first)
    assert left.names == ("item.price", COLOUR.name)
    np.testing.assert_array_equal(left.features, [[0, 2], [3, 5], [6, 8], [9, 11]])


def test_lists_keep_what_was_told_of_their_columns() -> None:
    whole = lists(leak=1.0)
    for same in (whole.take(np.arange(3)), whole.thinned(3, 0), RankingData.joined([whole, whole])):
        assert same.keys == ["item.price:f4:1", "plugin:season.fits:f4:4"]
    assert whole.without({FITS.name}).keys == ["item.price:f4:1"]
    assert not whole.without({FITS.name}).contributed


def test_lists_lack_all_columns_of_a_plugin_or_none() -> None:
    names = ("item.price", FITS.name, PEAK.name, COLOUR.name)
    whole = data(np.ones((400, 4)), [0] * 400, [4] * 100, names)
    gone = np.isnan(with_dropped(whole, 0, share=0.3).reshape(100, 4, 4))
    assert (gone[:, :, 1] == gone[:, :, 2]).all()
    assert 15 < gone[:, 0, 1].sum() < 45
    assert (gone[:, 0, 1] != gone[:, 0, 3]).any()


def test_the_reranker_goes_by_a_column_that_tells_and_lives_without_it() -> None:
    import lightgbm

    blind, told = fit_reranker(lists(leak=0.0), 0, threads=1), fit_reranker(lists(leak=1.0), 0, threads=1)
    assert blind is not None
    assert told is not None
    assert told.importance[FITS.name] > 0.6
    assert blind.importance[FITS.name] < 0.4
    assert told.ndcg["lightgbm"] > blind.ndcg["lightgbm"] + 0.2
    assert told.model.features[1] == "plugin:season.fits:f4:4"
    # Without the plugin, the other column still counts: about as much as where the plugin never told anything.
    without = lists(leak=1.0).features.copy()
    without[:, 1] = np.nan
    booster = lightgbm.Booster(model_str=told.model.data.decode())
    scores = np.asarray(booster.predict(without, num_threads=1)).reshape(200, 20)
    first = np.take_along_axis(
        lists(leak=1.0).labels.reshape(200, 20), scores.argmax(axis=1)[:, None], axis=1
    )
    # Of items drawn at random 15 % were taken.
    assert first.mean() > 0.4
