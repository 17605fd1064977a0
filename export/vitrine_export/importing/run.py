"""Imports a shop's own logs: events, and items where there are any."""

import time
from pathlib import Path
from typing import Literal

import polars as pl

from vitrine.dataset import ITEM_SCHEMA, Dataset, complete
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, quiet
from vitrine_export.importing.columns import EVENT_COLUMNS, ITEM_COLUMNS
from vitrine_export.importing.events import clean_events
from vitrine_export.importing.items import clean_items, items_of_events
from vitrine_export.importing.read import read_table
from vitrine_export.importing.report import ImportReport

OnError = Literal["stop", "drop"]


def import_files(
    events: Path,
    items: Path | None,
    out: Path,
    *,
    name: str | None = None,
    currency: str | None = None,
    on_error: OnError = "stop",
    progress: Progress = quiet,
) -> ImportReport:
    """Reads, cleans and writes a data set. The same files always give the same data set.

    Args:
        events: Parquet, CSV or JSON Lines.
        items: The same, or nothing.
        out: Folder of the data set.
        name: Its name; the events file's when not told.
        currency: ISO 4217 code of prices that come without one.
        on_error: "stop" refuses a file with a malformed row, "drop" leaves such rows out and counts them.
        progress: Told how far it is.

    Raises:
        InvalidInput: A file cannot be read or breaks the documented format; file, row and column are named.
    """
    if currency is not None and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise InvalidInput("currency", f"{currency!r} is no ISO 4217 code of three letters, such as GBP")
    currency = currency.upper() if currency else None
    start = time.monotonic()
    report = ImportReport(source=events.name if items is None else f"{events.name} and {items.name}", out=out)
    progress(f"reading {events.name}", 0.0)
    table = read_table(events, EVENT_COLUMNS, "events", drop=on_error == "drop")
    report.ignored += [f"events.{n}" for n in table.ignored]
    progress("cleaning events", 0.4)
    kept = clean_events(table, currency, report)
    del table
    if items is None:
        catalog = items_of_events(kept)
    else:
        progress(f"reading {items.name}", 0.6)
        listed = read_table(items, ITEM_COLUMNS, "items", drop=on_error == "drop")
        report.ignored += [f"items.{n}" for n in listed.ignored]
        catalog = clean_items(listed, currency, report)
        strangers = kept.select(
            pl.col("item_id").is_not_null() & ~pl.col("item_id").is_in(catalog["item_id"].implode())
        ).to_series()
        if strangers.any():
            report.notes["events kept whose item is not in the items file"] = int(strangers.sum())
    progress(f"writing {out}", 0.8)
    finish(report, kept, catalog, name=name or events.stem, currency=currency, items_given=items is not None)
    report.seconds = time.monotonic() - start
    progress("done", 1.0)
    return report


def finish(
    report: ImportReport,
    events: pl.DataFrame,
    items: pl.DataFrame,
    *,
    name: str,
    currency: str | None,
    items_given: bool,
) -> None:
    """Completes the report and writes the data set.

    Raises:
        InvalidInput: No event is left.
    """
    if events.is_empty():
        why = ", ".join(f"{n:,} × {reason}" for reason, n in report.dropped.items()) or "the file has no rows"
        raise InvalidInput("events", f"{report.source}: no event is left ({why}); nothing was written")
    items = complete(items.lazy(), ITEM_SCHEMA).collect()
    report.kept, report.items_kept = events.height, items.height
    report.off = _off(events, items, items_given=items_given)
    Dataset.write(
        report.out,
        events,
        items,
        name=name,
        source=report.source,
        currency=_usual_currency(events, items) or currency,
        report=report.manifest(),
        items_given=items_given,
    )


def _off(events: pl.DataFrame, items: pl.DataFrame, *, items_given: bool) -> dict[str, str]:
    """What is missing -> what is off because of it."""
    off: dict[str, str] = {}
    if events["time"].null_count() == events.height:
        off["times"] = "events have no time: trending, recency, new arrivals and evaluation by date are off"
    if not items_given:
        off["items"] = (
            "no items file: text search, content, categories, brands, prices and new arrivals are off"
        )
        return off
    empty = {
        "text": ((items["title"] == "") & (items["description"] == "")).all(),
        "prices": items["price_micros"].null_count() == items.height,
        "categories": (items["category_path"].list.len() == 0).all(),
        "brands": items["brand"].null_count() == items.height,
        "created_times": items["created_time"].null_count() == items.height,
    }
    why = {
        "text": "items have no title or description: text search and content of text are off",
        "prices": "items have no price: price bands and price filters are off",
        "categories": "items have no category_path: interest by category and category filters are off",
        "brands": "items have no brand: interest by brand and limits per brand are off",
        "created_times": "items have no created_time: new arrivals are off",
    }
    return off | {what: why[what] for what, missing in empty.items() if missing}


def _usual_currency(events: pl.DataFrame, items: pl.DataFrame) -> str | None:
    """The currency that most prices are in; the first in the alphabet among equals."""
    for table in (items, events):
        if "currency" in table.columns and table["currency"].null_count() < table.height:
            return str(table["currency"].drop_nulls().mode().sort()[0])
    return None
