"""Cleans a table of items, or makes one from the events."""

import polars as pl

from vitrine.dataset import ITEM_SCHEMA
from vitrine_export.importing.clean import (
    REASON,
    count,
    currency_of,
    impossible_price,
    micros,
    split,
    too_long,
    unpriced,
)
from vitrine_export.importing.columns import ITEM_COLUMNS
from vitrine_export.importing.read import Table
from vitrine_export.importing.report import ImportReport

_TYPES: dict[str, pl.DataType] = {
    "category_path": pl.List(pl.String()),
    "price": pl.Float64(),
    "created_time": ITEM_SCHEMA["created_time"],
}


def clean_items(table: Table, currency: str | None, report: ImportReport) -> pl.DataFrame:
    """The items that are kept, with the columns of `ITEM_SCHEMA`; of two rows of one item the later one counts.

    Raises:
        InvalidInput: Prices have no currency.
    """
    report.items_read = table.frame.height + table.malformed
    given = "_availability" if "_availability" in table.frame.columns else None
    missing = [name for name in ITEM_COLUMNS if name not in table.frame.columns]
    table.frame = table.frame.with_columns(
        pl.lit(None, dtype=_TYPES.get(name, pl.String())).alias(name) for name in missing
    )
    rules = [
        ("no item", pl.col("item_id").is_null()),
        ("identifier too long", too_long("item_id")),
        ("impossible price", impossible_price("price")),
        unpriced(table, "price", currency, "items"),
    ]
    if given:
        unknown = pl.col("availability").is_null() & pl.col(given).is_not_null() & (pl.col(given) != "")
        rules.append(("unknown availability", unknown))
    kept = split(table, rules, report.items_dropped)
    kept = kept.with_columns(
        pl.when(~pl.col("item_id").is_last_distinct()).then(pl.lit("duplicate")).alias(REASON)
    )
    count(report.items_dropped, kept[REASON].drop_nulls())
    kept = kept.filter(pl.col(REASON).is_null())
    made = {
        "title": pl.col("title").fill_null(""),
        "description": pl.col("description").fill_null(""),
        "category_path": pl.col("category_path").fill_null(pl.lit([], dtype=pl.List(pl.String))),
        "price_micros": micros("price"),
        "currency": currency_of("price", currency),
        "availability": pl.col("availability").fill_null("in_stock"),
        "attributes": pl.when(pl.col("attributes") != "{}").then(pl.col("attributes")),
    }
    return kept.select(made.get(n, pl.col(n)).cast(dtype).alias(n) for n, dtype in ITEM_SCHEMA.items())


def items_of_events(events: pl.DataFrame) -> pl.DataFrame:
    """Identifiers of the items that events name, in order of the identifier; nothing else is known of them."""
    return events.select(pl.col("item_id").drop_nulls().unique().sort())
