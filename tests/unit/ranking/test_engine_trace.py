"""What the engine tells of its plugins: traces when asked, changed positions by sampling, and how each fares."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pluggy
import pytest

from tests.support.shop import make_catalog
from vitrine import plugin as contract
from vitrine.config import Config, PluginConfig, RankingConfig, SceneConfig, load_config
from vitrine.domain.answer import DegradationCode, ReasonCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.plugins import PluginState
from vitrine.domain.profile import Profile
from vitrine.domain.trace import Trace
from vitrine.hosting import Hosted, Plugin, Waiter
from vitrine.hosting.workers import Workers
from vitrine.plugin import Batch, FeatureBlock, FeatureColumn, LoadContext, Scores, hookimpl
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.ranking import engine as engine_module
from vitrine.rpc.metrics import Metrics

Score = Callable[[Batch], Scores]


class _Ranker:
    version = "2.5"
    reason: ReasonCode | None = None
    budget_ms = 50.0
    after: tuple[str, ...] = ()

    def __init__(self, name: str, score: Score) -> None:
        self.name = name
        self.score = score


class _Season:
    columns = (FeatureColumn("warm", "how warm it is"),)
    budget_ms = 7.0

    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        return {"warm": np.zeros(len(batch.items.ids), np.float32)}


def _plugin(name: str, score: Score | None) -> Plugin:
    class Module:
        @hookimpl
        def vitrine_make_ranker(self, load: LoadContext) -> _Ranker | None:
            return None if score is None else _Ranker(name, score)

        @hookimpl
        def vitrine_make_features(self, load: LoadContext) -> FeatureBlock | None:
            return _Season() if score is None else None

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(Module(), name)
    return Plugin(name, f"{name}-dist 1.0", host)


def _up(batch: Batch) -> Scores:
    return np.arange(len(batch.items.ids), dtype=np.float32)


def _down(batch: Batch) -> Scores:
    return -_up(batch)


def _fails(batch: Batch) -> Scores:
    raise RuntimeError("secret")


def _config(scenes: Mapping[str, Mapping[str, Any]], **more: Any) -> Config:
    made = {
        name: SceneConfig.model_validate({"sources": {"popular": 10}, **scene})
        for name, scene in scenes.items()
    }
    return load_config().model_copy(update={"scenes": made, **more})


HOME: Mapping[str, Mapping[str, Any]] = {
    "home": {"weights": {"up": 1.0, "source:popular": 0.5}, "reranker": "down"}
}


def _engine(
    rankers: Mapping[str, Score | None],
    scenes: Mapping[str, Mapping[str, Any]],
    metrics: Metrics | None = None,
    **more: Any,
) -> RankingEngine:
    plugins = [_plugin(name, score) for name, score in rankers.items()]
    observer = metrics or Metrics()
    catalog = make_catalog(30, out_of_stock=[29])
    return RankingEngine(catalog, None, _config(scenes, **more), plugins, observer)


def _query(*scenes: str, trace: bool = True, n: int = 30, limit: int = 5) -> RankingQuery:
    ids = [f"i{i}" for i in range(n - 1)] + ["nobody-knows"]
    everything = ids * len(scenes)
    candidates = Candidates(
        everything,
        ("popular",),
        np.ones(len(everything), np.uint32),
        np.tile(np.linspace(1, 0.5, n, dtype=np.float32), len(scenes))[:, None],
    )
    queries = tuple(ShopperQuery(Profile(), scene, limit=limit) for scene in scenes)
    offsets = np.arange(len(scenes) + 1, dtype=np.int64) * n
    return RankingQuery(1_000_000.0, queries, candidates, offsets, trace=trace)


def _trace(engine: RankingEngine, query: RankingQuery) -> Trace:
    told = engine.rank(query).lists[0].trace
    assert told is not None
    return told


def test_a_trace_ends_with_the_window_and_names_what_was_missing() -> None:
    engine = _engine({"up": _up, "down": _down}, HOME)
    told = _trace(engine, _query("home"))
    assert told.names == ("sources", "ranker:up", "reranker:down", "rules", "caps", "diversity", "newcomers")
    # `up` turns the order round, the reranker turns it back; of items that the catalogue does not know none is shown.
    assert told.ranks[0].tolist() == [1, 2, 3, 4, 5]
    assert told.ranks[1].tolist() == [30, 29, 28, 27, 26]
    for row in told.ranks[2:]:
        assert row.tolist() == [1, 2, 3, 4, 5]
    timed = ~np.isnan(told.seconds)
    assert timed.tolist() == [False, True, True, *[False] * 4]
    assert (told.seconds[timed] > 0).all()

    broken = _engine({"up": _fails}, HOME)
    told = _trace(broken, _query("home"))
    assert told.left_out == (None, DegradationCode.FAILED, DegradationCode.OFF, *[None] * 4)
    assert (told.ranks == [1, 2, 3, 4, 5]).all()


def test_nothing_is_traced_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("traced")

    monkeypatch.setattr(engine_module, "trace", never)
    engine = _engine({"up": _up, "down": _down}, HOME)
    assert engine.rank(_query("home", trace=False)).lists[0].trace is None


def test_each_list_of_a_batch_has_the_trace_of_its_own_scene() -> None:
    scenes = {"one": {"weights": {"up": 1.0}}, "other": {"weights": {"down": 1.0}}}
    ranked = _engine({"up": _up, "down": _down}, scenes).rank(_query("one", "other"))
    one, other = (each.trace for each in ranked.lists)
    assert one is not None
    assert other is not None
    assert one.names[:3] == ("sources", "ranker:up", "rules")
    assert other.names[:3] == ("sources", "ranker:down", "rules")
    assert other.ranks[1].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("known", [0, 3])
def test_candidates_that_the_catalogue_does_not_know_are_traced_all_the_same(known: int) -> None:
    config = _config({"home": {"weights": {"up": 1.0}}})
    engine = RankingEngine(make_catalog(known), None, config, [_plugin("up", _up)])
    told = _trace(engine, _query("home"))
    assert told.ranks.shape == (6, known)
    assert told.ranks[1].tolist() == [28, 29, 30][:known]


async def test_changed_positions_are_counted_in_some_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SAMPLED", 4)
    metrics = Metrics()
    engine = _engine({"up": _up, "down": _down}, HOME, metrics)

    def value(name: str, ranker: str) -> float | None:
        return metrics.registry.get_sample_value(f"vitrine_plugin_{name}_total", {"component": ranker})

    engine.rank(_query("home"))
    assert value("positions", "ranker:up") is None, "what nobody waits for is no window"
    with Workers(1) as workers:
        for _ in range(8):
            await Waiter(workers).run(lambda leg: engine.rank(_query("home"), leg), 5)
    assert value("positions", "ranker:up") == value("positions", "ranker:down") == 10
    assert value("positions_changed", "ranker:up") == value("positions_changed", "ranker:down") == 10


async def test_the_time_of_a_plugin_that_hangs_is_that_until_it_was_given_up() -> None:
    free = threading.Event()

    def sleeps(batch: Batch) -> Scores:
        time.sleep(0.02)
        return _up(batch)

    def hangs(batch: Batch) -> Scores:
        free.wait(10)
        return _up(batch)

    scene = {"home": {"weights": {"up": 1.0, "down": 1.0}}}
    engine = _engine({"up": sleeps, "down": hangs}, scene)
    with Workers(1) as workers:
        ranked = await Waiter(workers).run(lambda leg: engine.rank(_query("home"), leg), 5)
        free.set()
    told = ranked.lists[0].trace
    assert told is not None
    assert told.left_out[:3] == (None, None, DegradationCode.TIMEOUT)
    assert 0.02 <= told.seconds[1] < 0.05
    assert told.seconds[2] >= 0.05


async def test_the_engine_tells_how_its_plugins_fare() -> None:
    scenes: dict[str, Mapping[str, Any]] = {
        **HOME,
        "cart": {"weights": {"up": 1.0, "bad": 1.0, "absent": 1.0}},
    }
    engine = _engine(
        {"up": _up, "down": _down, "bad": _fails, "season": None},
        scenes,
        features=("season",),
        plugins={"up": PluginConfig(budget_ms=3), "down": PluginConfig(enabled=False)},
        ranking=RankingConfig(failures=2, retry_seconds=60),
    )
    with Workers(1) as workers:
        for _ in range(3):
            await Waiter(workers).run(lambda leg: engine.rank(_query("cart"), leg), 5)
    told = engine.plugins()
    assert told.bundle == ""
    assert time.time() - 60 < told.since <= time.time()
    named = {one.name: one for one in told.plugins}
    assert list(named) == ["absent", "bad", "down", "season", "up"]

    up, bad = named["up"].ranker, named["bad"].ranker
    assert up is not None
    assert (up.state, up.version, up.budget, up.calls, up.failures) == (PluginState.ON, "2.5", 0.003, 3, 0)
    assert (named["up"].scenes, named["up"].features) == (("home", "cart"), None)
    assert named["up"].distribution == "up-dist 1.0"
    assert bad is not None
    assert (bad.state, bad.calls, bad.failures, bad.timeouts) == (PluginState.TRIPPED, 2, 2, 0)
    assert "repeated failures" in bad.message
    off, absent = named["down"].ranker, named["absent"].ranker
    assert off is not None
    assert absent is not None
    assert off.state is absent.state is PluginState.OFF
    assert "switched off" in off.message
    assert named["absent"].distribution == ""
    season = named["season"]
    assert season.ranker is None
    assert season.scenes == ()
    assert season.features is not None
    assert (season.features.state, season.features.budget) == (PluginState.ON, 0.007)
    assert list(season.parts) == ["features:season"]


def test_a_plugin_whose_process_is_gone_is_being_restarted() -> None:
    engine = _engine({"up": _up}, {"home": {"weights": {"up": 1.0}}})

    class Apart:
        restarts = 4
        restarting = True

    object.__setattr__(engine.rankers, "elsewhere", {"up": Apart()})
    assert isinstance(engine.rankers.hosted["up"], Hosted)
    (up,) = engine.plugins().plugins
    assert up.restarts == 4
    assert up.ranker is not None
    assert up.ranker.state is PluginState.RESTARTING
