"""Cleans a table of events."""

from collections.abc import Mapping

import polars as pl

from vitrine.dataset import EVENT_SCHEMA
from vitrine.domain.events import MAX_AMOUNT
from vitrine.errors import InvalidInput
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
from vitrine_export.importing.columns import EVENT_COLUMNS, Column
from vitrine_export.importing.identify import derived_ids
from vitrine_export.importing.read import Table
from vitrine_export.importing.report import ImportReport


def clean_events(table: Table, currency: str | None, report: ImportReport) -> pl.DataFrame:
    """The events that are kept, with the columns of `EVENT_SCHEMA`, in the order of the file.

    Args:
        table: What was read.
        currency: Currency of values that come without one.
        report: Counts are added to it.

    Raises:
        InvalidInput: No column tells the shopper, or values have no currency.
    """
    if not (table.has("user_id") or table.has("anonymous_id")) and table.frame.height:
        raise InvalidInput(
            "events",
            f"{table.path.name} needs a column user_id or anonymous_id that says who did it; found none",
        )
    report.read = table.frame.height + table.malformed
    timed, raw_types = table.has("time"), table.frame["_type"]
    table.frame = _complete(table.frame, EVENT_COLUMNS)
    rules = [*_rules(timed=timed), unpriced(table, "value", currency, "events")]
    kept = split(table, rules, report.dropped)
    if "unknown type" in report.dropped:
        unknown = raw_types.filter(table.frame["type"].is_null()).drop_nulls().value_counts(sort=True).head(3)
        for word, rows in unknown.rows():
            report.notes[f"events of the unknown type {word[:40]!r}"] = rows
    repeated = pl.col("event_id").is_not_null() & ~pl.col("event_id").is_first_distinct()
    kept = kept.with_columns(pl.when(repeated).then(pl.lit("duplicate")).alias(REASON))
    count(report.dropped, kept[REASON].drop_nulls())
    kept = kept.filter(pl.col(REASON).is_null()).select(_finished(currency))
    return _identified(kept, report)


def _rules(*, timed: bool) -> list[tuple[str, pl.Expr]]:
    event, item, quantity = pl.col("type"), pl.col("item_id"), pl.col("quantity")
    return [
        ("unknown type", event.is_null()),
        ("no subject", pl.col("user_id").is_null() & pl.col("anonymous_id").is_null()),
        ("no item", item.is_null() & (event != "search")),
        ("no query", item.is_null() & pl.col("text").is_null()),
        ("no time", pl.col("time").is_null() & timed),
        ("identifier too long", too_long("event_id", "user_id", "anonymous_id", "item_id", "request_id")),
        ("impossible price", impossible_price("value")),
        ("cancellation", (event == "purchase") & (quantity < 0)),
        ("impossible quantity", ~(quantity.is_finite() & (quantity > 0) & (quantity <= MAX_AMOUNT))),
        ("impossible rating", ~pl.col("rating").is_finite()),
        ("impossible dwell", ~(pl.col("dwell").is_finite() & (pl.col("dwell") >= 0))),
    ]


def _finished(currency: str | None) -> list[pl.Expr]:
    made = {
        "value_micros": micros("value"),
        "currency": currency_of("value", currency),
        "dwell_seconds": pl.col("dwell"),
        "attributes": pl.when(pl.col("attributes") != "{}").then(pl.col("attributes")),
    }
    return [made.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in EVENT_SCHEMA.items()]


def _identified(events: pl.DataFrame, report: ImportReport) -> pl.DataFrame:
    nameless = events["event_id"].is_null()
    if not nameless.any():
        return events
    report.notes["events without an id, given one derived from their content"] = int(nameless.sum())
    ids = derived_ids(events.filter(nameless).drop("event_id"))
    if nameless.all():
        return events.with_columns(ids)
    # A null scatters nothing: fill the gaps in order.
    place = nameless.cum_sum().cast(pl.Int64) - 1
    filled = pl.select(
        pl.when(nameless).then(ids.gather(place.clip(0))).otherwise(events["event_id"])
    ).to_series()
    return events.with_columns(filled.alias("event_id"))


def _complete(frame: pl.DataFrame, columns: Mapping[str, Column]) -> pl.DataFrame:
    """The frame with a column of nulls for every documented column that the file lacks."""
    types = {
        "time": EVENT_SCHEMA["time"],
        **dict.fromkeys(("value", "quantity", "rating", "dwell"), pl.Float64()),
    }
    missing = [name for name in columns if name not in frame.columns]
    return frame.with_columns(
        pl.lit(None, dtype=types.get(name, pl.String())).alias(name) for name in missing
    )
