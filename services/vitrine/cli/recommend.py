"""`vitrine recommend`: a window from a running server, as a table."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.cli.server import server_at
from vitrine.cli.trace_table import trace_tables

console = Console()


def recommend_command(
    user: Annotated[
        str, typer.Option("--user", "-u", help="The customer; nobody in particular when left out.")
    ] = "",
    anonymous: Annotated[str, typer.Option(help="A visitor's cookie, instead of --user.")] = "",
    scene: Annotated[str, typer.Option("--scene", "-s", help="Which window.")] = "home",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many items.")] = 10,
    item: Annotated[
        list[str] | None, typer.Option(help="The item whose page is shown; may be repeated.")
    ] = None,
    basket: Annotated[list[str] | None, typer.Option(help="An item in the basket; may be repeated.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="What was typed into the search box.")] = "",
    locale: Annotated[str, typer.Option(help="Language of the reasons: en or zh.")] = "",
    scores: Annotated[bool, typer.Option("--scores", help="Show the scores of rankers and sources.")] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show the rank of each item before and after each step.")
    ] = False,
    address: Annotated[str, typer.Option(help="Where the server is.")] = "localhost:50051",
    catalog_address: Annotated[
        str, typer.Option(help="Where RetrievalService is, for titles, when the services are split.")
    ] = "",
) -> None:
    """Prints the window that a running server makes for a shopper.

    - `vitrine recommend --user ann --scene home`
    - `vitrine recommend --scene search --query "coffee mug"`
    - `vitrine recommend --user ann --scene item_page --item mug-1 --scores`
    - `vitrine recommend --user ann --trace`
    """
    from vitrine.client import Anonymous

    if user and anonymous:
        raise typer.BadParameter("name a customer with --user or a visitor with --anonymous, not both")

    who = user or (Anonymous(anonymous) if anonymous else None)
    with server_at(address) as shop:
        window = shop.recommend(
            who,
            scene,
            limit,
            item_ids=item or (),
            basket=basket or (),
            query=query,
            locale=locale,
            include_scores=scores,
            include_trace=trace,
            timeout=5.0,
        )
    titles = _items(catalog_address or address, [i.item_id for i in window.items])
    console.print(window_table(window, titles, scores=scores))
    if trace:
        _print_trace(window, titles, locale)
    for part in window.degraded:
        console.print(Text.assemble(("degraded", "yellow"), f" {part.component}: {part.message}"))


def _print_trace(
    window: recommendation_pb2.RecommendResponse, items: dict[str, retrieval_pb2.Item], locale: str
) -> None:
    """Prints how the order came about."""
    ids = [item.item_id for item in window.items]
    titles = [items[i].title if i in items else "" for i in ids]
    if not window.HasField("trace"):
        console.print(Text("no trace: ranking did not answer, or is older than traces are"))
        return
    for table in trace_tables(window.trace, ids, titles, console.width, locale=locale):
        console.print(table)


def _items(address: str, item_ids: list[str]) -> dict[str, retrieval_pb2.Item]:
    """The items by identifier; none where there is no catalogue, as at the front of a split shop."""
    from vitrine.client import Vitrine, VitrineError

    try:
        with Vitrine(address) as shop:
            return {found.item_id: found for found in shop.get_items(item_ids)}
    except VitrineError:
        return {}


def window_table(
    window: recommendation_pb2.RecommendResponse,
    items: dict[str, retrieval_pb2.Item],
    *,
    title: str = "",
    scores: bool = False,
    before: dict[str, int] | None = None,
) -> Table:
    """A window as a table, a row an item, with its title, price, reason and score.

    Args:
        window: The window.
        items: Items by identifier, for titles and prices.
        title: Title of the table.
        scores: Whether to show the scores of rankers and sources.
        before: Rank of each item in an earlier window, to show what moved.
    """
    versions = window.versions
    plugins = ", ".join(f"{p.name} {p.version}" for p in versions.plugins)
    table = Table(
        title=Text(title, "table.title") if title else None,
        caption=Text(
            f"bundle {versions.bundle or 'none'} · {plugins or 'no rankers'} · request {window.request_id}",
            "table.caption",
        ),
        expand=True,
    )
    table.add_column("#", justify="right")
    if before is not None:
        table.add_column("was", justify="right")
    table.add_column("item")
    table.add_column("title", ratio=3)
    table.add_column("price", justify="right")
    table.add_column("why", ratio=3)
    table.add_column("score", justify="right")
    if scores:
        table.add_column("scores", ratio=3, overflow="fold")
    for rank, shown in enumerate(window.items, 1):
        known = items.get(shown.item_id, retrieval_pb2.Item())
        price = (
            f"{known.price.micros / 1e6:,.2f} {known.price.currency_code}" if known.HasField("price") else ""
        )
        moved = [] if before is None else [_moved(rank, before.get(shown.item_id))]
        cells = [
            str(rank),
            *moved,
            shown.item_id,
            known.title,
            price,
            shown.reason.text,
            f"{shown.score:.3f}",
        ]
        if scores:
            cells.append("  ".join(f"{name} {value:.3g}" for name, value in sorted(shown.scores.items())))
        # Titles, reasons and names are other people's texts: brackets in them are no markup.
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))
    return table


def _moved(rank: int, before: int | None) -> str | Text:
    """Where an item was, and which way it went."""
    if before is None:
        return Text("new", "bold green")
    arrow = "↑" if rank < before else "↓" if rank > before else "="
    return f"{before} {arrow}"
