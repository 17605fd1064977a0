"""Commands that make data sets: `vitrine import` and `vitrine simulate`."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vitrine.cli.progress import progress
from vitrine.errors import InvalidInput

ONLINE_RETAIL = "online-retail"

errors = Console(stderr=True)

app = typer.Typer(help="Make data sets.", no_args_is_help=True, rich_markup_mode="markdown")


class OnError(StrEnum):
    """What to do with a row that is malformed."""

    STOP = "stop"
    DROP = "drop"


@app.command("import", no_args_is_help=True)
def import_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="EVENTS",
            help="A file of events (.parquet, .csv, .jsonl), or the word `online-retail` followed by the UCI file.",
        ),
    ],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The UCI file, after `online-retail`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the data set; an older one in it is replaced.")] = Path(
        "data"
    ),
    items: Annotated[
        Path | None, typer.Option(help="A file of items. Without it, items come from the events.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the data set; that of the file unless told.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency of prices that come without one, such as GBP.")
    ] = None,
    on_error: Annotated[
        OnError,
        typer.Option(help="`stop` at the first malformed row, or `drop` such rows and count them."),
    ] = OnError.STOP,
) -> None:
    """Read a shop's logs, clean them, and write a data set to train on and to load.

    Events need the columns **item_id**, **type** and **user_id** or **anonymous_id**; **time** is worth having.
    Every other column of docs/data.md is optional: what needs a missing one is off, and the report says so.
    Each row that is left out is counted with its reason.

    - `vitrine import events.csv --items items.csv --currency EUR --out data/shop`
    - `vitrine import clicks.jsonl --on-error drop --out data/clicks`
    - `vitrine import online-retail transactions.parquet --out data/retail`
    """
    if source == ONLINE_RETAIL:
        if name or currency or on_error is not OnError.STOP:
            raise InvalidInput(
                "--name, --currency, --on-error", "the UCI file is known as it is; leave these out"
            )
        _import_online_retail(file, items, out)
        return
    if file is not None:
        raise InvalidInput(
            "EVENTS", f"one file of events is imported at a time; give items as --items {file}"
        )
    from vitrine_export.importing import import_files

    with progress(errors) as report_progress:
        report = import_files(
            Path(source),
            items,
            out,
            name=name,
            currency=currency,
            on_error=on_error.value,
            progress=report_progress,
        )
    Console().print(report.render())


def _import_online_retail(file: Path | None, items: Path | None, out: Path) -> None:
    if file is None:
        raise InvalidInput("FILE", "name the UCI file: vitrine import online-retail FILE --out DIR")
    if items is not None:
        raise InvalidInput("--items", "the UCI file carries its items; leave --items out")
    from vitrine_export.importing import import_online_retail

    with progress(errors) as report_progress:
        report = import_online_retail(file, out, progress=report_progress)
    Console().print(report.render())


@app.command("simulate")
def simulate_command(
    out: Annotated[Path, typer.Option(help="Folder of the data set; an older one in it is replaced.")] = Path(
        "data/simulated"
    ),
    shoppers: Annotated[int, typer.Option(min=1, help="How many people come to the shop.")] = 3000,
    items: Annotated[int, typer.Option(min=1, help="How many items it sells.")] = 2000,
    days: Annotated[int, typer.Option(min=1, help="Length of the history.")] = 90,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same shop.")] = 7,
    end: Annotated[
        datetime | None, typer.Option(help="The moment after the last event, UTC; 2026-11-01 unless told.")
    ] = None,
) -> None:
    """Make up a small shop: items, shoppers with tastes that change, seasons, and all they do.

    Titles are in English and, about a third of them, in Chinese. Nothing in it is real, so it is free to share.

    - `vitrine simulate --out data/small`
    - `vitrine simulate --shoppers 50000 --items 100000 --out data/large` (3.6 million events)
    """
    from vitrine_export.simulate import END, simulate

    when = END if end is None else end.replace(tzinfo=UTC)
    with progress(errors) as report_progress:
        report = simulate(
            out, shoppers=shoppers, items=items, days=days, seed=seed, end=when, progress=report_progress
        )
    Console().print(report.render())
