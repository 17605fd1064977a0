"""Names in the configuration that only the installation knows: sources, rankers, plugins."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vitrine.app import check
from vitrine.app.check import check_config
from vitrine.config import Config, load_config
from vitrine.errors import ConfigError
from vitrine.plugin import ENTRY_POINT_GROUP

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
            "known: cf, content, deep, interest, lightgbm; see `vitrine plugins`",
        ),
        (
            "[plugins.contnt]\nx = 1",
            "plugins.contnt: no installed package offers a ranker 'contnt'; did you mean 'content'?",
        ),
        ("[plugins.nosuch]", "plugins.nosuch: no installed package offers a ranker 'nosuch'; known: cf"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_config(_config(tmp_path, text), "all")
    assert says in str(refused.value)


def test_rankers_matter_where_there_is_ranking_alone(tmp_path: Path) -> None:
    config = _config(tmp_path, "[scenes.home.weights]\nmine = 1.0\n[plugins.mine]")
    check_config(config, "retrieval")
    with pytest.raises(ConfigError, match="mine"):
        check_config(config, "ranking")


def test_an_installed_plugin_that_fails_to_load_is_not_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = [EntryPoint(n, "no_such_module", ENTRY_POINT_GROUP) for n in (*RANKERS, "broken")]
    monkeypatch.setattr(check, "entry_points", lambda **_: installed)
    check_config(_config(tmp_path, "[scenes.home.weights]\nbroken = 1.0\n[plugins.broken]"), "all")
