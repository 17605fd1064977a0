"""The plugins of a running server as a table."""

from datetime import timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner

from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.cli import plugins
from vitrine.cli.app import app
from vitrine.cli.served_plugins import messages, served_table
from vitrine.domain.plugins import PartStatus, Plugins, PluginState, PluginStatus
from vitrine.wire.plugins import plugins_to_proto

HOSTILE = "lamp [blue] :star: [/b]"

SERVED = Plugins(
    "3f2a90c1d7be",
    1_700_000_000.0,
    (
        PluginStatus(
            f"n {HOSTILE}",
            f"d {HOSTILE}",
            "process",
            PartStatus(PluginState.TRIPPED, f"m {HOSTILE}", "1.2", 0.02, 1234, 7, 5),
            None,
            (f"s {HOSTILE}",),
            restarts=3,
        ),
        PluginStatus(
            "season",
            "shop-season 0.1",
            "thread",
            None,
            PartStatus(PluginState.ON, budget=0.005, calls=9),
            (),
        ),
        PluginStatus("gone", "", "thread", PartStatus(PluginState.OFF, "not installed"), None, ("home",)),
    ),
)


def _shown(served: ranking_pb2.ListRankersResponse) -> str:
    console = Console(width=400)
    with console.capture() as shown:
        console.print(served_table(served, console.width))
    return shown.get()


def _row(shown: str, name: str) -> list[str]:
    (line,) = [line for line in shown.splitlines() if f"│ {name}" in line]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_each_part_has_a_row_with_its_state_and_counts() -> None:
    shown = _shown(plugins_to_proto(SERVED))
    assert _row(shown, "n ") == [
        f"n {HOSTILE} 1.2",
        f"d {HOSTILE}",
        "process (restarts: 3)",
        f"s {HOSTILE}",
        "tripped",
        "20 ms",
        "1,234",
        "7",
        "5",
    ]
    assert _row(shown, "season") == [
        "season",
        "shop-season 0.1",
        "thread",
        "features",
        "on",
        "5 ms",
        "9",
        "0",
        "0",
    ]
    assert _row(shown, "gone")[4:6] == ["off", ""]
    assert messages(plugins_to_proto(SERVED)) == [f"n {HOSTILE}: m {HOSTILE}", "gone: not installed"]
    assert "bundle 3f2a90c1d7be · calls since 2023-11-14 22:13:20 UTC" in shown


def test_a_server_that_is_not_there_is_named() -> None:
    done = CliRunner().invoke(app, ["plugins", "--address", "127.0.0.1:1"])
    assert done.exit_code != 0
    assert "no server answers at 127.0.0.1:1" in str(done.exception)


def test_a_server_goes_by_its_own_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(plugins.console, "width", 400)
    file = tmp_path_factory.mktemp("config") / "shop.toml"
    done = CliRunner().invoke(app, ["plugins", "--address", "127.0.0.1:1", "--config", str(file)])
    assert done.exit_code == 2
    assert "--config" in done.output


def test_a_budget_below_a_millisecond_is_not_rounded_away() -> None:
    part = ranking_pb2.PluginPart(state=ranking_pb2.PLUGIN_STATE_ON)
    part.budget.FromTimedelta(timedelta(microseconds=250))
    shown = _shown(ranking_pb2.ListRankersResponse(plugins=[ranking_pb2.Plugin(name="quick", ranker=part)]))
    assert _row(shown, "quick")[5] == "0.25 ms"


def test_nothing_is_cut_off_on_a_narrow_terminal() -> None:
    part = PartStatus(PluginState.ON, "", "12.10", 0.15, 12_345, 89, 10)
    name, scenes = "rather_long_one", ("home", "item_page", "new_arrivals")
    served = Plugins("3f", 1e9, (PluginStatus(name, "shop-plugin 1.0", "process", part, None, scenes),))
    console = Console(width=80)
    with console.capture() as shown:
        console.print(served_table(plugins_to_proto(served), console.width))
    assert "…" not in shown.get()
    for word in (name, "12.10", "process", *scenes, "150 ms", "12,345", "89", "10"):
        assert word in shown.get(), word
