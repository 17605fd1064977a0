"""Columns of a plugin from training to serving: learned from, served, explained, and missed when the plugin is gone."""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pluggy
import polars as pl
import pytest
from rich.console import Console

from tests.unit.train.conftest import START, shop
from vitrine import plugin as contract
from vitrine.app.load import load_into_store
from vitrine.app.offline import OfflineShop
from vitrine.app.shop import Stores
from vitrine.bundle import AttachedBundle, load_bundle
from vitrine.cli.train_report import of_bundle, of_training
from vitrine.config import Config, PluginConfig, load_config
from vitrine.dataset import Dataset
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.profile import DAY
from vitrine.domain.subject import Subject
from vitrine.errors import ConfigError
from vitrine.features import ALWAYS
from vitrine.hosting import Plugin, discover
from vitrine.plugin import Batch, FeatureBlock, FeatureColumn, LoadContext, MissingData, Scores, hookimpl
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.recommendation.query import WindowQuery
from vitrine_export.train import Parameters, TrainReport, train

QUICK = Parameters(validate=False, neural=False, label_windows=1)
TAKES, WEEKDAY = "plugin:oracle.takes", "plugin:oracle.weekday"
TEXT = "whether the shopper is about to take it"
SCENE = "home"


class Oracle:
    """Knows the future: who, told apart by the first event of each, will buy what within four weeks."""

    budget_ms = 1000.0

    def __init__(self, dataset: Dataset, version: int = 3) -> None:
        self.columns = (
            FeatureColumn("takes", TEXT, version),
            FeatureColumn("weekday", "the day of the week"),
        )
        events = dataset.events().with_columns(pl.col("time").dt.epoch("us") / 1e6).collect()
        self._bought: dict[int, list[tuple[float, str]]] = {}
        for mine in events.sort("time").partition_by("user_id"):
            bought = mine.filter(pl.col("type") == "purchase")
            self._bought[_whole(mine["time"][0])] = list(zip(bought["time"], bought["item_id"], strict=True))

    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        """See `FeatureBlock`."""
        assert not batch.scores
        now, takes = batch.request_time, np.zeros(len(batch.items.ids), np.float32)
        for q, profile in enumerate(batch.profiles):
            own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
            later = self._bought.get(_whole(profile.first_time), [])
            wanted = {item for at, item in later if now <= at < now + 28 * DAY}
            takes[own] = [item in wanted for item in batch.items.ids[own]]
        # Something of the whole batch that serving has, too.
        weekday = np.full(len(takes), now // DAY % 7, np.float32)
        more: dict[str, Scores] = {"debug": np.zeros(1, np.float32)}
        return more | {"takes": takes, "weekday": weekday + batch.features.column("item.price") * 0}


def _whole(seconds: float) -> int:
    return round(seconds * 1000)


def plugin(name: str, block: FeatureBlock | str | None) -> Plugin:
    """A plugin of that block; of the text of what its bundle lacks, or without any hook for columns."""

    class Columns:
        @hookimpl
        def vitrine_make_features(self, load: LoadContext) -> FeatureBlock | None:
            if isinstance(block, str):
                raise MissingData(block)
            return block

    class Settings:
        @hookimpl
        def vitrine_settings(self) -> None:
            return None

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(Settings() if block is None else Columns(), name)
    return Plugin(name, f"{name} 1.0", host)


def configured(*features: str) -> Config:
    return load_config().model_copy(update={"features": features})


class Trained(NamedTuple):
    dataset: Dataset
    oracle: Oracle
    report: TrainReport
    without: TrainReport


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("columns")
    dataset = shop(root / "shop")
    oracle = Oracle(dataset)
    plugins = [*discover(), plugin("oracle", oracle)]
    config = configured("oracle")
    report = train(dataset, root / "bundle", parameters=QUICK, config=config, plugins=plugins)
    without = train(dataset, root / "without", parameters=QUICK, plugins=plugins)
    return Trained(dataset, oracle, report, without)


def test_the_reranker_learns_from_what_a_plugin_tells(trained: Trained) -> None:
    report = trained.report
    assert report.rankers.reranker is not None
    assert trained.without.rankers.reranker is not None
    importance = report.rankers.reranker.importance
    assert next(iter(importance)) == TAKES
    assert importance[TAKES] > 0.5
    assert TAKES not in trained.without.rankers.reranker.importance
    better, before = (r.manifest.metrics["ndcg@20_lightgbm"] for r in (report, trained.without))
    assert better > before + 0.2
    keys = report.manifest.models["lightgbm"].features
    assert f"{TAKES}:f4:3" in keys
    assert f"{WEEKDAY}:f4:1" in keys
    assert report.manifest.texts == {TAKES: TEXT, WEEKDAY: "the day of the week"}
    assert not [part for part in report.manifest.off if part.startswith("features")]


def printed(what: object) -> str:
    console = Console(width=200, file=StringIO(), record=True)
    console.print(what)
    return console.export_text()


def test_the_report_has_the_words_of_the_author(trained: Trained) -> None:
    assert trained.report.rankers.reranker is not None
    told = printed(of_training(trained.report))
    assert TEXT in told
    assert "features:oracle" in told
    share = sum(trained.report.rankers.reranker.importance[name] for name in (TAKES, WEEKDAY))
    assert f"2 columns, {share:.0%} of what lightgbm decides by" in told
    assert "2 columns" in printed(of_bundle(trained.report.manifest))


def opened(trained: Trained, plugins: Sequence[Plugin], config: Config | None = None) -> OfflineShop:
    bundle = load_bundle(trained.report.out)
    now = START + 110 * DAY
    return OfflineShop.open(
        trained.dataset, config or configured(), bundle, until=now, plugins=[*discover(), *plugins]
    )


def asked(shoppers: range) -> list[WindowQuery]:
    return [WindowQuery(Subject(f"u{i}"), SCENE, 20) for i in shoppers]


def test_a_server_serves_the_columns_without_being_told(trained: Trained) -> None:
    served = opened(trained, [plugin("oracle", trained.oracle)])
    answers = served.answers(asked(range(40)))
    assert not [d for answer in answers for d in about_columns(answer.ranked.degraded)]
    hits = [answer.item_ids[0] in future(trained, i, served.now) for i, answer in enumerate(answers)]
    known = [bool(future(trained, i, served.now)) for i in range(40)]
    served.close()
    # Whoever takes something that was among the candidates finds it on top.
    assert sum(hits) > 0.8 * sum(known) > 5


def about_columns(degraded: Iterable[Degradation]) -> list[Degradation]:
    """Without what a training of seconds leaves out."""
    return [part for part in degraded if part.component not in {"ranker:interest", "ranker:deep"}]


def future(trained: Trained, shopper: int, now: float) -> set[str]:
    events = trained.dataset.events().filter(pl.col("user_id") == f"u{shopper}").collect()
    mine = events.filter((pl.col("type") == "purchase") & (pl.col("time").dt.epoch("us") / 1e6 >= now))
    return set(mine["item_id"])


@pytest.mark.parametrize("case", ["gone", "disabled", "another version", "no columns", "no data"])
def test_without_the_plugin_a_server_answers_and_says_why(trained: Trained, case: str) -> None:
    config, off = configured(), PluginConfig(enabled=False)
    plugins, why = {
        "gone": ([], "no installed package offers a plugin 'oracle'"),
        "disabled": ([plugin("oracle", trained.oracle)], "switched off in the configuration"),
        "another version": (
            [plugin("oracle", Oracle(trained.dataset, version=4))],
            f"the bundle learned from version 3 of {TAKES}, here is 4: train again",
        ),
        "no columns": ([plugin("oracle", None)], "vitrine_make_features returned no FeatureBlock"),
        "no data": ([plugin("oracle", "the bundle has no stars")], "the bundle has no stars"),
    }[case]
    if case == "disabled":
        config = config.model_copy(update={"plugins": {"oracle": off}})
    served = opened(trained, plugins, config)
    scored = served.scored(asked(range(5)))
    window = served.recommend(asked(range(1))[0])
    served.close()
    (degraded,) = about_columns(scored.degraded)
    assert (degraded.component, degraded.code) == ("features:oracle", DegradationCode.OFF)
    assert why in degraded.message
    assert degraded in window.degraded
    assert len(window.items) == 20
    assert np.isnan(scored.batch.features.matrix([TAKES, WEEKDAY])).all()
    assert np.isfinite(scored.scores["lightgbm"]).all()


def engine_of(trained: Trained, stores: Stores, plugins: Sequence[Plugin]) -> RankingEngine:
    bundle = AttachedBundle(load_bundle(trained.report.out), stores.catalog)
    return RankingEngine(stores.catalog, bundle, configured(), [*discover(), *plugins])


def test_columns_are_the_same_in_training_and_behind_a_store(trained: Trained, tmp_path: Path) -> None:
    plugins = [plugin("oracle", trained.oracle)]
    offline = opened(trained, plugins)
    learned = offline.scored(asked(range(30)), features=["oracle"])
    candidates = [answer.retrieved.candidates for answer in offline.answers(asked(range(30)))]
    now = offline.now
    load_into_store(trained.dataset, tmp_path / "store", configured(), until=now)
    with Stores.open(tmp_path / "store", configured(), lambda: now) as stores:
        online = engine_of(trained, stores, plugins)
        start = 0
        for i, found in enumerate(candidates):
            shopper = ShopperQuery(stores.profiles.get(Subject(f"u{i}")), SCENE)
            scored = online.score(RankingQuery.single(now, shopper, found), [configured().scenes[SCENE]])
            own = slice(start, start + len(found))
            start = own.stop
            for name in (TAKES, WEEKDAY):
                mine = scored.batch.features.column(name)
                np.testing.assert_array_equal(mine, learned.batch.features.column(name)[own])
            np.testing.assert_allclose(
                scored.batch.features.matrix(ALWAYS), learned.batch.features.matrix(ALWAYS)[own], atol=1e-5
            )
    assert start == len(learned.batch.items.ids)
    assert learned.batch.features.column(TAKES).any()
    offline.close()


def test_an_explanation_has_the_words_of_the_author_even_without_the_plugin(
    trained: Trained, tmp_path: Path
) -> None:
    offline = opened(trained, [])
    (answer,) = offline.answers(asked(range(3, 4)))
    load_into_store(trained.dataset, tmp_path / "store", configured(), until=offline.now)
    with Stores.open(tmp_path / "store", configured(), lambda: offline.now) as stores:
        query = RankingQuery.single(
            offline.now,
            ShopperQuery(stores.profiles.get(Subject("u3")), SCENE),
            answer.retrieved.candidates,
        )
        for plugins in ([], [plugin("oracle", trained.oracle)]):
            explained = engine_of(trained, stores, plugins).explain(query, answer.item_ids[0]).explanation
            (mine,) = [column for column in explained.columns if column.name == TAKES]
            assert (mine.text, mine.group) == (TEXT, "oracle")
            assert mine.reading in ({"0", "1"} if plugins else {"not known"})
            group = next(group for group in explained.groups if group.name == "oracle")
            assert group.text == "what plugin 'oracle' says of it"
    offline.close()


class Failing(Oracle):
    """Cannot do it in one call of many."""

    calls = 0

    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        """See `FeatureBlock`."""
        self.calls += 1
        if self.calls == 2:
            raise ValueError("a secret")
        return super().compute(batch)


def test_training_goes_on_without_plugins_that_cannot_be_used(trained: Trained, tmp_path: Path) -> None:
    failing = Failing(trained.dataset)
    plugins = [
        *discover(),
        plugin("failing", failing),
        plugin("empty", None),
        plugin("poor", "the bundle has no stars"),
        Plugin("broken", "broken 1.0", None, "failed to load: ImportError: no module named stars"),
    ]
    config = configured("failing", "empty", "poor", "broken")
    report = train(trained.dataset, tmp_path / "bundle", parameters=QUICK, config=config, plugins=plugins)
    assert failing.calls > 2
    off = {part: why for part, why in report.manifest.off.items() if part.startswith("features:")}
    assert off == {
        "features:failing": "the plugin failed",
        "features:empty": "vitrine_make_features returned no FeatureBlock; see vitrine.plugin.FeatureBlock",
        "features:poor": "the bundle has no stars",
        "features:broken": "failed to load; `vitrine plugins` says why",
    }
    # The same bundle as if nobody had named them.
    assert report.manifest.version == trained.without.manifest.version
    told = printed(of_training(report))
    assert "features:poor" in told
    assert "the bundle has no stars" in told


def test_a_misspelt_name_is_refused_before_anything_is_done(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'orcle'.*did you mean 'oracle'"):
        train(
            trained.dataset,
            tmp_path / "bundle",
            config=configured("orcle"),
            plugins=[plugin("oracle", trained.oracle)],
        )
    assert not list(tmp_path.iterdir())
