"""Rows of a data set as domain values, in chunks."""

from collections.abc import Iterator

import msgspec
import polars as pl

from vitrine.dataset import STEP, Dataset
from vitrine.domain.events import Event, EventType
from vitrine.domain.items import Availability, Item

_TYPES = {t.name.lower(): int(t) for t in EventType}
_AVAILABILITY = {a.name.lower(): int(a) for a in Availability}
_attributes = msgspec.json.Decoder(dict[str, str]).decode


# When an item came into the shop of which that is not known: long ago, so that nobody takes it for new.
LONG_AGO = 1.0


def items_of(dataset: Dataset, until: float | None = None, chunk: int = 1000) -> Iterator[list[Item]]:
    """The items of a data set.

    Args:
        dataset: The data set.
        until: Leave out items created from this moment on, Unix seconds.
        chunk: Largest number of items in a list.
    """
    table = dataset.items()
    if table is None:
        return
    table = table.with_columns(
        pl.col("title", "description", "brand", "currency").fill_null(""),
        pl.col("price_micros").fill_null(0),
        pl.col("category_path").fill_null([]),
        created=(pl.col("created_time").dt.epoch("us") / 1e6).fill_null(LONG_AGO),
        availability=pl.col("availability").replace_strict(_AVAILABILITY, default=int(Availability.IN_STOCK)),
    )
    if until is not None:
        table = table.filter(pl.col("created") < until)
    for part in table.iter_slices(chunk):
        yield [
            Item(
                item_id=row["item_id"],
                title=row["title"],
                description=row["description"],
                category_path=tuple(row["category_path"]),
                brand=row["brand"],
                price_micros=row["price_micros"],
                currency=row["currency"],
                availability=row["availability"],
                created=row["created"],
                attributes=_attributes(row["attributes"]) if row["attributes"] else {},
            )
            for row in part.iter_rows(named=True)
        ]


# How old the latest events are taken to be where there are no times: too old to be a trend or a basket, too young for a
# shopper to have been lost since.
UNDATED_AGE = 60 * 86_400.0


def undated_times(events: pl.DataFrame, latest: float, *, ordered: bool) -> pl.Series:
    """Times for events that have none: they count back from one moment, by a step each where they have an order.

    So the latest event of every shopper is equally late, and where a shopper stands in the data tells nothing.

    Args:
        events: With ``user_id`` and ``anonymous_id``.
        latest: The moment of everybody's latest event, Unix seconds.
        ordered: Whether the events of a shopper stand in the order in which they came.
    """
    # As `Subject.key`: a shopper with an account is one, on whichever device.
    who = pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id"))
    later = pl.len().over(who) - 1 - pl.int_range(pl.len()).over(who) if ordered else pl.lit(0)
    moment = pl.lit(int(latest * 1e6)) - later.cast(pl.Int64) * int(STEP * 1e6)
    return events.select(time=pl.from_epoch(moment, "us").dt.replace_time_zone("UTC"), rows=pl.col("type"))[
        "time"
    ]


def events_of(
    events: pl.DataFrame, now: float, chunk: int = 1000, *, ordered: bool = False
) -> Iterator[list[Event]]:
    """The events of a data set in their order.

    Args:
        events: Columns of `vitrine.dataset.EVENT_SCHEMA`.
        now: Unix seconds; the latest of the events without times lie `UNDATED_AGE` before it.
        chunk: Largest number of events in a list.
        ordered: Whether events without times stand in order.
    """
    made_up = undated_times(events, now - UNDATED_AGE, ordered=ordered).dt.epoch("us") / 1e6
    table = events.select(
        "event_id",
        pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id")).alias("subject"),
        pl.col("item_id").fill_null(""),
        pl.col("type").replace_strict(_TYPES, return_dtype=pl.Int64),
        (pl.col("time").dt.epoch("us") / 1e6).fill_null(made_up).alias("time"),
        pl.col("value_micros").fill_null(0),
        pl.col("currency").fill_null(""),
        pl.col("quantity").fill_null(1.0),
        pl.col("rating").cast(pl.Float64).fill_null(float("nan")),
        pl.col("text").fill_null(""),
        pl.col("dwell_seconds").cast(pl.Float64).fill_null(0.0),
        pl.col("request_id", "scene", "channel").fill_null(""),
        pl.col("attributes"),
    )
    for part in table.iter_slices(chunk):
        yield [_event(*row) for row in part.iter_rows()]


def _event(*row: object) -> Event:
    # The columns stand in the order of the fields of Event.
    attributes = _attributes(str(row[-1])) if row[-1] else {}
    return msgspec.convert((*row[:-1], attributes), Event)
