"""The page that a plugin's author reads is true: its example runs, and each hook is documented and does what it says."""

import inspect
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pluggy
import pytest
from pydantic import BaseModel, Field

from tests.support.shop import make_catalog
from vitrine import plugin as contract
from vitrine.config import Config, PluginConfig, SceneConfig, load_config
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import Profile
from vitrine.hosting import Plugin, make_rankers
from vitrine.plugin import (
    Batch,
    FeatureBlock,
    FeatureColumn,
    LoadContext,
    MissingData,
    Ranker,
    Scores,
    hookimpl,
)
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery

ROOT = Path(__file__).parents[3]
HOOKS = sorted(name for name, value in vars(contract).items() if hasattr(value, f"{contract.PROJECT}_spec"))
PROTOCOLS = sorted(
    name
    for name, value in vars(contract).items()
    if getattr(value, "_is_protocol", False) and name != "Protocol"
)


def found(name: str, *hooks: Callable[..., Any], **more: object) -> Plugin:
    """A plugin of some hooks, as if it had been found."""
    module = ModuleType(name)
    for hook in hooks:
        setattr(module, hook.__name__, hookimpl(hook))
    for key, value in more.items():
        setattr(module, key, value)
    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(module, name)
    host.check_pending()
    return Plugin(name, f"{name} 1.0", host)


def config(**plugins: PluginConfig) -> Config:
    return load_config().model_copy(update={"plugins": plugins})


class Constant:
    """Says the same of everything."""

    version, reason, budget_ms = "1.0", None, 1000.0

    def __init__(self, name: str, value: float = 1.0) -> None:
        self.name = name
        self.value = value

    def score(self, batch: Batch) -> Scores:
        return np.full(len(batch.items.ids), self.value, np.float32)


def test_the_example_runs_as_written() -> None:
    lines = (contract.__doc__ or "").splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    import numpy"))
    last = max(i for i, line in enumerate(lines) if line.startswith("    "))
    module = ModuleType("cheapest")
    exec(textwrap.dedent("\n".join(lines[first : last + 1])), vars(module))
    assert module.VITRINE_CONTRACT == contract.CONTRACT

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(module)
    host.check_pending()
    scene = SceneConfig(sources={"popular": 1}, weights={"cheapest": 1.0})
    config = load_config().model_copy(update={"scenes": {"home": scene}})
    engine = RankingEngine(make_catalog(5), None, config, [Plugin("cheapest", "", host)])
    assert not engine.rankers.off
    candidates = Candidates.of_items(["i4", "i1", "i3"])
    (ranked,) = engine.rank(RankingQuery.single(0.0, ShopperQuery(Profile(), "home"), candidates)).lists
    assert ranked.positions.tolist() == [1, 2, 0]
    np.testing.assert_array_equal(ranked.component_scores[:, 0], [-2e6, -4e6, -5e6])


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_documented_and_tested(hook: str) -> None:
    assert len(HOOKS) >= 3
    assert inspect.getdoc(getattr(contract, hook)), f"{hook} says nothing of itself"
    assert hook in (ROOT / "plugins" / "README.md").read_text("utf-8"), (
        f"plugins/README.md does not name {hook}"
    )
    assert callable(globals().get(f"test_hook_{hook}")), f"write test_hook_{hook} here"


@pytest.mark.parametrize("name", PROTOCOLS)
def test_each_protocol_says_what_each_of_its_members_is(name: str) -> None:
    protocol = getattr(contract, name)
    assert inspect.getdoc(protocol)
    for member, value in vars(protocol).items():
        if not member.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{member} says nothing of itself"


def test_the_page_stays_a_page() -> None:
    """One can read it in a quarter of an hour; what grows beyond belongs elsewhere."""
    assert len(inspect.getsource(contract).splitlines()) <= 350


def test_hook_vitrine_make_ranker() -> None:
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        assert load.bundle is None
        assert load.settings == {"own": 3}
        return Constant("own")

    def nothing(load: LoadContext) -> Ranker | None:
        return None

    nothing.__name__ = "vitrine_make_ranker"
    settings = config(own=PluginConfig(settings={"own": 3}))
    made = make_rankers([found("own", vitrine_make_ranker)], ["own", "absent"], None, settings)
    assert list(made.ready) == list(made.hosted) == ["own"]
    assert "no installed package offers a plugin 'absent'" in made.off["absent"]
    made = make_rankers([found("own", nothing)], ["own"], None, config())
    assert "returned no Ranker" in made.off["own"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MissingData("the bundle has no such model"), "the bundle has no such model"),
        (ValueError("secret"), "failed to start: ValueError"),
        (SystemExit("secret"), "failed to start: SystemExit"),
    ],
)
def test_a_hook_that_raises_switches_its_plugin_off(error: BaseException, said: str) -> None:
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        raise error

    made = make_rankers([found("bad", vitrine_make_ranker)], ["bad"], None, config())
    assert made.off["bad"] == said


def test_hook_vitrine_settings() -> None:
    class Settings(BaseModel, extra="forbid"):
        weight: float = Field(0.5, ge=0, description="How much.")

    def vitrine_settings() -> type[BaseModel]:
        return Settings

    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        return Constant("own", load.settings.weight)

    plugin = found("own", vitrine_settings, vitrine_make_ranker)
    assert plugin.settings_model() is Settings
    assert plugin.offers == ("ranker", "settings")
    for given, value in (({}, 0.5), ({"weight": 2}, 2.0)):
        made = make_rankers([plugin], ["own"], None, config(own=PluginConfig(settings=given)))
        ranker = made.hosted["own"].target
        assert isinstance(ranker, Constant)
        assert ranker.value == value
    wrong = config(own=PluginConfig(settings={"weight": -1, "secret": "s3cret"}))
    said = make_rankers([plugin], ["own"], None, wrong).off["own"]
    assert "weight, secret" in said
    assert "s3cret" not in said, "values may be secrets"


def test_hook_vitrine_make_features() -> None:
    class Block:
        columns = (FeatureColumn("price", "what it costs"),)
        budget_ms = 1000.0

        def compute(self, batch: Batch) -> dict[str, Scores]:
            assert not batch.scores
            return {"price": batch.items.price_micros.astype(np.float32)}

    def vitrine_make_features(load: LoadContext) -> FeatureBlock:
        return Block()

    class Reads(Constant):
        after = ("costs",)

        def score(self, batch: Batch) -> Scores:
            return -batch.features.column("plugin:costs.price")

    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        return Reads("reads")

    scene = SceneConfig(sources={"popular": 1}, weights={"reads": 1.0})
    settings = load_config().model_copy(update={"scenes": {"home": scene}, "features": ("costs",)})
    plugins = [found("costs", vitrine_make_features), found("reads", vitrine_make_ranker)]
    engine = RankingEngine(make_catalog(5), None, settings, plugins)
    query = RankingQuery.single(0.0, ShopperQuery(Profile(), "home"), Candidates.of_items(["i4", "i1"]))
    ranked = engine.rank(query)
    assert not ranked.degraded
    assert ranked.lists[0].component_scores[:, 0].tolist() == [-2e6, -5e6]
    off = RankingEngine(make_catalog(5), None, settings, plugins[1:]).rank(query)
    assert [part.component for part in off.degraded] == ["features:costs", "ranker:reads"]


def test_a_plugin_that_is_switched_off_is_said_to_be_and_nothing_else_breaks() -> None:
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        return Constant("one")

    plugins = [found("one", vitrine_make_ranker)]
    made = make_rankers(plugins, ["one"], None, config(one=PluginConfig(enabled=False)))
    assert made.off["one"] == "switched off in the configuration (plugins.one.enabled)"


def test_the_configuration_may_set_the_budget() -> None:
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        return Constant("one")

    plugins = [found("one", vitrine_make_ranker)]
    assert make_rankers(plugins, ["one"], None, config()).hosted["one"].budget == 1.0
    told = config(one=PluginConfig(budget_ms=20))
    assert make_rankers(plugins, ["one"], None, told).hosted["one"].budget == 0.02


def test_a_hook_that_does_not_come_back_switches_its_plugin_off(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        free.wait(20)
        return Constant("slow")

    monkeypatch.setattr("vitrine.hosting.maker.START_SECONDS", 0.1)
    made = make_rankers([found("slow", vitrine_make_ranker)], ["slow"], None, config())
    free.set()
    assert made.off["slow"] == "failed to start: vitrine_make_ranker did not come back within 0 s"
