"""`vitrine plugins --address`: how the plugins of a running server fare."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from vitrine.api.ranking.v1 import ranking_pb2

_STYLES = {"on": "green", "off": "yellow"}


def show_served(address: str, console: Console) -> None:
    """Asks a server and prints what it says.

    Raises:
        Unavailable: No server answers there.
    """
    from vitrine.client import Unavailable, Vitrine

    with Vitrine(address) as shop:
        try:
            served = shop.list_rankers(timeout=5.0)
        except Unavailable:
            raise Unavailable(
                f"no server answers at {address}; start one with `vitrine serve`, or name it with --address"
            ) from None
    console.print(served_table(served))


def served_table(served: "ranking_pb2.ListRankersResponse") -> Table:
    """A row for each ranker and each block of columns."""
    since = datetime.fromtimestamp(served.since.ToNanoseconds() / 1e9, UTC)
    table = Table(
        caption=Text(
            f"bundle {served.bundle_version or 'none'} · calls since {since:%Y-%m-%d %H:%M:%S} UTC",
            "table.caption",
        )
    )
    for name in ("plugin", "from", "runs in", "used in", "state"):
        table.add_column(name)
    for name in ("budget", "calls", "failed", "too late"):
        table.add_column(name, justify="right")
    for plugin in served.plugins:
        if plugin.HasField("ranker"):
            table.add_row(*_row(plugin, plugin.ranker, ", ".join(plugin.scenes)))
        if plugin.HasField("features"):
            table.add_row(*_row(plugin, plugin.features, "features"))
    return table


def _row(plugin: "ranking_pb2.Plugin", part: "ranking_pb2.PluginPart", used: str) -> list[Text]:
    """Names and sentences are other people's texts: brackets in them are no markup."""
    from vitrine.api.ranking.v1 import ranking_pb2

    state = ranking_pb2.PluginState.Name(part.state).removeprefix("PLUGIN_STATE_").lower()
    shown = Text(state, _STYLES.get(state, "red"))
    if part.message:
        shown.append(f": {part.message}")
    apart = plugin.isolation
    if plugin.restarts:
        apart += f" (restarts: {plugin.restarts:,})"
    budget = f"{part.budget.ToNanoseconds() / 1e6:g} ms" if part.HasField("budget") else ""
    counts = (part.calls, part.failures, part.timeouts)
    return [
        Text(f"{plugin.name} {part.version}".rstrip()),
        Text(plugin.distribution),
        Text(apart),
        Text(used),
        shown,
        *(Text(cell) for cell in (budget, *(f"{count:,}" for count in counts))),
    ]
