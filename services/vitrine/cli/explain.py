"""`vitrine explain`: why an item has its place in a shopper's window, in words and numbers."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitrine.api.common.v1 import common_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.cli.server import server_at
from vitrine.domain.explanation import NEWCOMER

console = Console()

_BAR = 30
_COLUMNS = 12


def explain_command(
    item: Annotated[str, typer.Option("--item", "-i", help="The item to explain.")],
    user: Annotated[
        str, typer.Option("--user", "-u", help="The customer; nobody in particular when left out.")
    ] = "",
    anonymous: Annotated[str, typer.Option(help="A visitor's cookie, instead of --user.")] = "",
    scene: Annotated[str, typer.Option("--scene", "-s", help="Which window.")] = "home",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many items the window has.")] = 20,
    page: Annotated[
        list[str] | None, typer.Option(help="The item whose page is shown; may be repeated.")
    ] = None,
    basket: Annotated[list[str] | None, typer.Option(help="An item in the basket; may be repeated.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="What was typed into the search box.")] = "",
    locale: Annotated[str, typer.Option(help="Language of the reason: en or zh.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the answer as JSON.")] = False,
    address: Annotated[str, typer.Option(help="Where the server is.")] = "localhost:50051",
    catalog_address: Annotated[
        str, typer.Option(help="Where RetrievalService is, for the title, when the services are split.")
    ] = "",
) -> None:
    """Tells why an item has its place in the window of a shopper, or why it has none.

    - `vitrine explain --user ann --item mug-1`
    - `vitrine explain --user ann --item mug-1 --scene cart --basket pot-2`
    - `vitrine explain --user ann --item mug-1 --json`
    """
    from google.protobuf.json_format import MessageToDict

    from vitrine.client import Anonymous

    if user and anonymous:
        raise typer.BadParameter("name a customer with --user or a visitor with --anonymous, not both")

    who = user or (Anonymous(anonymous) if anonymous else None)
    with server_at(address) as shop:
        answer = shop.explain(
            who, item, scene, limit, item_ids=page or (), basket=basket or (), query=query, locale=locale
        )
    if as_json:
        typer.echo(json.dumps(MessageToDict(answer, preserving_proto_field_name=True), ensure_ascii=False))
        return
    show(answer, _title(catalog_address or address, item), user or anonymous or "the shopper", scene)


def show(answer: recommendation_pb2.ExplainResponse, title: str, who: str, scene: str) -> None:
    """Prints an explanation: place and scores, bars by group, the largest columns, and a sentence."""
    from vitrine.cli.explain_words import sentence

    told = answer.explanation
    # Titles, reasons and names are other people's texts: brackets in them are no markup.
    console.print(Text.assemble((title or told.item_id, "bold"), f"  {told.item_id} · {scene} · {who}"))
    made = f"score {told.score:.3f}, by {told.decided_by}"
    if told.decided_by == NEWCOMER:
        made = f"a place for newcomers ({told.decided_by}); its own score {told.model_score:.3f}"
    if told.base:
        known = told.model_score - told.base
        made += f": {told.base:.3f} for a candidate of whom nothing is known, {known:+.3f} for what is known"
    console.print(Text(made))
    console.print(
        Text(f"found by {', '.join(told.sources) or 'no source'}, among {told.candidates:,} candidates")
    )
    if told.groups:
        console.print(groups_table(told))
        console.print(columns_table(told))
    versions = answer.versions
    console.print(Text(f"bundle {versions.bundle or 'none'}", "dim"))
    for part in answer.degraded:
        console.print(Text.assemble(("degraded", "yellow"), f" {part.component}: {part.message}"))
    if told.reason.text:
        console.print(Text.assemble("The shopper reads: ", (told.reason.text, "italic")))
    console.print(Text(sentence(told, who), "bold"))


def groups_table(told: common_pb2.Explanation) -> Table:
    """Shares by group as bars: to the right what raised the score, to the left what lowered it."""
    table = Table("group", "what it speaks of", box=None, pad_edge=False)
    table.add_column("share", justify="right")
    table.add_column("", no_wrap=True)
    largest = max(abs(group.share) for group in told.groups) or 1.0
    for group in told.groups:
        length = max(1, round(abs(group.share) / largest * _BAR))
        bar = Text("█" * length, "green" if group.share >= 0 else "red")
        table.add_row(Text(group.name), Text(group.text), f"{group.share:+.3f}", bar)
    return table


def columns_table(told: common_pb2.Explanation) -> Table:
    """The columns with the largest shares, and their values."""
    shown = told.columns[:_COLUMNS]
    more = len(told.columns) - len(shown)
    table = Table(caption=f"and {more} columns with smaller shares" if more else None)
    for name in ("column", "what it is"):
        table.add_column(name)
    for name in ("value", "share"):
        table.add_column(name, justify="right")
    for column in shown:
        table.add_row(Text(column.name), Text(column.text), Text(column.reading), f"{column.share:+.3f}")
    return table


def _title(address: str, item_id: str) -> str:
    """The item's title; empty where there is no catalogue, as at the front of a split shop."""
    from vitrine.client import Vitrine, VitrineError

    try:
        with Vitrine(address) as shop:
            return next((found.title for found in shop.get_items([item_id])), "")
    except VitrineError:
        return ""
