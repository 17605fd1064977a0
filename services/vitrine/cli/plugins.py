"""`vitrine plugins`: the ranking plugins that are installed, and what becomes of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from vitrine.cli.installed import installed_plugins
from vitrine.cli.served_plugins import show_served
from vitrine.cli.tables import plugin_table

if TYPE_CHECKING:
    from vitrine.config import Config
    from vitrine.hosting import Plugin

console = Console()


def plugins_command(
    config: Annotated[
        Path | None, typer.Option(help="A TOML file, as for `vitrine serve`; the defaults unless told.")
    ] = None,
    address: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT", help="A running server (RankingService, when split): how its plugins fare."
        ),
    ] = "",
) -> None:
    """Lists the ranking plugins that are installed, what they offer, and which scenes use them.

    A plugin is any installed package with an entry point in the group `vitrine.rankers`. A star stands where one decides
    the order of a scene. What is wrong with one stands below the table.

    - `vitrine plugins`
    - `vitrine plugins --config shop.toml`
    - `vitrine plugins --address localhost:50051`
    """
    if address:
        if config is not None:
            raise typer.BadParameter(
                "a server goes by its own configuration; leave --config or --address out"
            )
        show_served(address, console)
        return
    from vitrine.config import load_config

    settings = load_config(config)
    table = plugin_table(console.width, "plugin", "from", "offers", "runs in", "used in", "state")
    problems = []
    for plugin, place in installed_plugins():
        state, problem = _state(plugin, settings)
        if problem:
            problems.append(f"{plugin.name} {problem}" + (place and f"\n  {place}"))
        table.add_row(
            Text(plugin.name),
            Text(plugin.distribution),
            ", ".join(plugin.offers),
            settings.plugin(plugin.name).isolation,
            Text(", ".join(_uses(plugin.name, settings))),
            state,
        )
    console.print(table)
    for text in problems:
        # Paths are to be copied: a terminal wraps them, this does not.
        console.print(Text(text, "red"), soft_wrap=True)


def _uses(name: str, config: "Config") -> list[str]:
    """Scenes that it ranks in; a star where it decides the order. And whether rerankers learn from its columns."""
    uses = [
        f"{scene}*" if name == told.reranker else scene
        for scene, told in config.scenes.items()
        if name in (*told.rankers, told.reranker)
    ]
    return [*uses, "features"] if name in config.features else uses


def _state(plugin: "Plugin", config: "Config") -> tuple[Text, str]:
    """What becomes of it in a word or two, and what is wrong with it."""
    from vitrine.app.check import wrong_uses

    if plugin.error:
        return Text("broken", "red"), plugin.error
    if not config.plugin(plugin.name).enabled:
        return Text("switched off", "yellow"), ""
    wrong = wrong_uses(config, [plugin])
    return (
        (Text("refused", "red"), f"is refused: {'; '.join(wrong)}") if wrong else (Text("loads", "green"), "")
    )
