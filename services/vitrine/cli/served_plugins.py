"""`vitrine plugins --address`: how the plugins of a running server fare."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitrine.cli.server import server_at
from vitrine.cli.tables import plugin_table

if TYPE_CHECKING:
    from vitrine.api.ranking.v1 import ranking_pb2

# Columns below which packages are left out.
_WIDE = 110
_STYLES = {"on": "green", "off": "yellow"}


def show_served(address: str, console: Console) -> None:
    """Asks a server and prints what it says.

    Raises:
        Unavailable: No server answers there.
    """
    with server_at(address) as shop:
        served = shop.list_rankers(timeout=5.0)
    console.print(served_table(served, console.width))
    for text in messages(served):
        console.print(Text(text, "yellow"), soft_wrap=True)


def messages(served: "ranking_pb2.ListRankersResponse") -> list[str]:
    """What the server says of each that is not simply on."""
    return [
        f"{plugin.name}: {part.message}"
        for plugin in served.plugins
        for part in (plugin.ranker, plugin.features)
        if part.message
    ]


def served_table(served: "ranking_pb2.ListRankersResponse", width: int) -> Table:
    """A row for each ranker and each block of columns, for a terminal of so many columns.

    On a narrow one it goes without the packages, which `vitrine plugins` lists.
    """
    wide = width >= _WIDE
    since = datetime.fromtimestamp(served.since.ToNanoseconds() / 1e9, UTC)
    columns = ("plugin", *(("from",) if wide else ()), "runs in", "used in", "state")
    table = plugin_table(
        width,
        *columns,
        whole=("plugin", "runs in", "state"),
        numbers=("budget", "calls", "failed", "too late" if wide else "too\nlate"),
    )
    table.caption = Text(
        f"bundle {served.bundle_version or 'none'} · calls since {since:%Y-%m-%d %H:%M:%S} UTC",
        "table.caption",
    )
    for plugin in served.plugins:
        if plugin.HasField("ranker"):
            table.add_row(*_row(plugin, plugin.ranker, ", ".join(plugin.scenes), wide=wide))
        if plugin.HasField("features"):
            table.add_row(*_row(plugin, plugin.features, "features", wide=wide))
    return table


def _row(
    plugin: "ranking_pb2.Plugin", part: "ranking_pb2.PluginPart", used: str, *, wide: bool
) -> list[Text]:
    """Names and sentences are other people's texts: brackets in them are no markup."""
    from vitrine.api.ranking.v1 import ranking_pb2

    state = ranking_pb2.PluginState.Name(part.state).removeprefix("PLUGIN_STATE_").lower()
    between = " " if wide else "\n"
    apart = plugin.isolation
    if plugin.restarts:
        apart += f"{between}(restarts: {plugin.restarts:,})"
    budget = f"{part.budget.ToNanoseconds() / 1e6:g} ms" if part.HasField("budget") else ""
    counts = (part.calls, part.failures, part.timeouts)
    return [
        Text(f"{plugin.name}{between}{part.version}".rstrip()),
        *([Text(plugin.distribution)] if wide else []),
        Text(apart),
        Text(used),
        Text(state, _STYLES.get(state, "red")),
        *(Text(cell) for cell in (budget, *(f"{count:,}" for count in counts))),
    ]
