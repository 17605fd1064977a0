"""`vitrine plugins`: the rankers that are installed."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console()


def plugins_command() -> None:
    """Lists the ranking plugins that are installed, where they come from, and which scenes use them.

    A plugin is any installed package with an entry point in the group `vitrine.rankers`.
    """
    from vitrine.config import load_config
    from vitrine.ranking.plugins import discover

    config = load_config()
    table = Table("ranker", "from", "used by default in", "state")
    for plugin in discover():
        scenes = [name for name, scene in config.scenes.items() if plugin.name in scene.rankers]
        state = Text(plugin.error, "red") if plugin.error else Text("loads", "green")
        table.add_row(Text(plugin.name), Text(plugin.distribution), Text(", ".join(scenes)), state)
    console.print(table)
