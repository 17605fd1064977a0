"""Names in the configuration that only the installation knows: sources, rankers, plugins."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from vitrine.app import check
from vitrine.app.check import check_config, check_plugins
from vitrine.config import Config, load_config
from vitrine.errors import ConfigError
from vitrine.hosting import Plugin
from vitrine.hosting.discovery import load_plugin
from vitrine.plugin import CONTRACT, ENTRY_POINT_GROUP, hookimpl

# What the default configuration asks for.
RANKERS = ("cf", "content", "deep", "interest", "lightgbm")


def _config(tmp_path: Path, text: str) -> Config:
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    return load_config(tmp_path / "shop.toml")


@pytest.mark.parametrize("service", ["all", "profile", "retrieval", "ranking", "recommendation"])
def test_the_defaults_pass(service: str) -> None:
    check_config(load_config(), service)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[scenes.home.weights]\n"source:pupular" = 3.0',
            "scenes.home.weights: unknown source 'source:pupular'; did you mean 'source:popular'?",
        ),
        (
            '[scenes.cart.weights]\n"source:xyz" = 0',
            "scenes.cart.weights: unknown source 'source:xyz'; known: source:popular",
        ),
        (
            "[scenes.home.weights]\ncontnet = 1.0",
            "scenes.home.weights: no installed package offers a ranker 'contnet'; did you mean 'content'?",
        ),
        ("[scenes.home.weights]\npopular = 1.0", "did you mean 'source:popular'?"),
        (
            "[scenes.home.weights]\nxyz = 1.0",
            "known: cf, content, crowd, deep, factors, follows, interest, lightgbm, shoppers, visits; see `vitrine",
        ),
        (
            "[plugins.contnt]\nbudget_ms = 1",
            "plugins.contnt: no installed package offers a plugin 'contnt'; did you mean 'content'?",
        ),
        ("[plugins.nosuch]", "plugins.nosuch: no installed package offers a plugin 'nosuch'; known: cf"),
        (
            "features = ['intrest']",
            "features: no installed package offers a plugin 'intrest'; did you mean 'int",
        ),
        (
            "[scenes.home]\nreranker = 'lightgmb'",
            "scenes.home.reranker: no installed package offers a ranker 'lightgmb'; did you mean 'lightgbm'?",
        ),
        (
            "[scenes.home.sources]\npopulr = 3",
            "scenes.home.sources: unknown source 'populr'; did you mean 'popular'?",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_config(_config(tmp_path, text), "all")
    assert says in str(refused.value)


def test_rankers_matter_where_there_is_ranking_alone(tmp_path: Path) -> None:
    text = "features = ['mine']\n[scenes.home]\nreranker = 'mine'\n[scenes.home.weights]\nmine = 1.0\n[plugins.mine]"
    config = _config(tmp_path, text)
    check_config(config, "retrieval")
    with pytest.raises(ConfigError) as refused:
        check_config(config, "ranking")
    for where in ("features", "plugins.mine", "scenes.home.weights", "scenes.home.reranker"):
        assert f"{where}: " in str(refused.value), "all of them at once"


@pytest.mark.parametrize("service", ["profile", "retrieval", "recommendation"])
def test_what_does_not_rank_imports_no_plugin_at_its_start(service: str) -> None:
    code = (
        "import sys, vitrine.app.services; from vitrine.app.check import check_config; "
        "from vitrine.config import load_config; "
        f"check_config(load_config(), '{service}'); "
        "print([name for name in sys.modules if name.startswith('vitrine_')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_an_installed_plugin_that_fails_to_load_is_not_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = [EntryPoint(n, "no_such_module", ENTRY_POINT_GROUP) for n in (*RANKERS, "broken")]
    monkeypatch.setattr(check, "entry_points", lambda **_: installed)
    check_config(_config(tmp_path, "[scenes.home.weights]\nbroken = 1.0\n[plugins.broken]"), "all")


class Inner(BaseModel):
    depth: int = Field(1, ge=1, description="How deep.")


class Settings(BaseModel):
    """What it can be told. Its author did not forbid other keys."""

    months: int = Field(3, le=12)
    names: list[str] = []
    inner: Inner = Inner()
    table: dict[str, Inner] = {}
    later: Inner | None = None
    renamed: int = Field(0, alias="other")


class Free(BaseModel, extra="allow"):
    """Takes anything."""


class Raising(BaseModel):
    x: int = 0

    @field_validator("x")
    @classmethod
    def _raise(cls, value: int) -> int:
        raise KeyError(value)


Make = Callable[..., Plugin]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a plugin of some hooks."""

    def made(name: str, **hooks: Callable[..., Any]) -> Plugin:
        module = ModuleType(f"made_{name}")
        vars(module)["VITRINE_CONTRACT"] = CONTRACT
        for hook, answer in hooks.items():
            setattr(module, f"vitrine_{hook}", hookimpl(answer))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return load_plugin(EntryPoint(name, module.__name__, ENTRY_POINT_GROUP))

    return made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mnths = 1", "unknown key 'plugins.season.settings.mnths'; did you mean 'months'?"),
        ("months = 13", "'plugins.season.settings.months': Input should be less than or equal to 12"),
        ("names = [1]", "'plugins.season.settings.names.0': Input should be a valid string"),
        ("inner = { depht = 1 }", "unknown key 'plugins.season.settings.inner.depht'; did you mean 'depth'?"),
        ("inner = { depth = 0 }", "'plugins.season.settings.inner.depth': Input should be greater"),
        ("table = { a = { depht = 1 } }", "unknown key 'plugins.season.settings.table.a.depht'"),
        ("later = { depht = 1 }", "unknown key 'plugins.season.settings.later.depht'; did you mean 'depth'?"),
        ("renamed = 3", "unknown key 'plugins.season.settings.renamed'"),
    ],
)
def test_settings_are_read_by_the_plugins_own_model(tmp_path: Path, make: Make, text: str, says: str) -> None:
    season = make("season", settings=lambda: Settings, make_ranker=lambda load: None)
    config = _config(tmp_path, f"[plugins.season.settings]\n{text}")
    with pytest.raises(ConfigError) as refused:
        check_plugins(config, [season])
    assert says in str(refused.value)
    off = _config(tmp_path, f"[plugins.season]\nenabled = false\n[plugins.season.settings]\n{text}")
    check_plugins(off, [season])


def test_settings_that_are_right_pass(tmp_path: Path, make: Make) -> None:
    text = "months = 1\nother = 2\nnames = ['a']\ntable = { a = { depth = 3 } }\nlater = { depth = 2 }"
    plugins = [
        make("season", settings=lambda: Settings),
        make("free", settings=lambda: Free),
        make("plain", make_ranker=lambda load: None),
    ]
    given = "\n".join(f"[plugins.{name}.settings]\nx = 1" for name in ("free", "plain"))
    check_plugins(_config(tmp_path, f"[plugins.season.settings]\n{text}\n{given}"), plugins)


def test_a_model_that_fails_is_a_mistake_and_no_crash(tmp_path: Path, make: Make) -> None:
    def broken() -> Any:
        raise RuntimeError("secret")

    plugins = [make("one", settings=lambda: Raising), make("two", settings=broken)]
    text = "".join(f"[plugins.{name}.settings]\nx = 1\n" for name in ("one", "two"))
    with pytest.raises(ConfigError) as refused:
        check_plugins(_config(tmp_path, text), plugins)
    assert "plugins.one.settings: the plugin's own model failed on them with KeyError" in str(refused.value)
    assert "plugins.two.settings: the plugin's own model failed on them with RuntimeError" in str(
        refused.value
    )
    assert "secret" not in str(refused.value)


def test_a_plugin_is_not_asked_for_what_it_does_not_offer(tmp_path: Path, make: Make) -> None:
    columns = make("columns", make_features=lambda load: None)
    ranker = make("rank", make_ranker=lambda load: None)
    text = "features = ['rank', 'columns']\n[scenes.home]\nreranker = 'columns'\n[scenes.cart.weights]\ncolumns = 1\nrank = 1"
    with pytest.raises(ConfigError) as refused:
        check_plugins(_config(tmp_path, text), [columns, ranker])
    said = str(refused.value)
    assert "features: plugin 'rank' contributes no columns; it offers ranker" in said
    assert "scenes.home.reranker: plugin 'columns' makes no ranker; it offers features" in said
    assert "scenes.cart.weights: plugin 'columns' makes no ranker" in said
    assert said.count("plugin '") == 3
