"""A data set: a folder with the events of a shop, its items where there are any, and a manifest of what it has."""

from collections.abc import Mapping
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Self

import msgspec
import polars as pl

from vitrine.domain.events import EventType
from vitrine.domain.items import Availability
from vitrine.errors import InvalidInput

SCHEMA_VERSION = 1
MANIFEST, EVENTS, ITEMS = "dataset.json", "events.parquet", "items.parquet"

# Where events have an order and no times, each is taken to have come so many seconds after the one before. By the
# half-lives of a profile (30 days and one) the long-term interest then halves within 120 events, the short-term one
# within four.
STEP = 21_600.0

EVENT_TYPES: tuple[str, ...] = tuple(t.name.lower() for t in EventType)
AVAILABILITIES: tuple[str, ...] = tuple(a.name.lower() for a in Availability)

_TIME = pl.Datetime("us", "UTC")

# Column of `events.parquet` -> type. All but `event_id` and `type` may be null.
EVENT_SCHEMA: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),
    "user_id": pl.String(),
    "anonymous_id": pl.String(),
    "item_id": pl.String(),
    "type": pl.String(),
    "time": _TIME,
    "value_micros": pl.Int64(),
    "currency": pl.String(),
    "quantity": pl.Float64(),
    "rating": pl.Float32(),
    "text": pl.String(),
    "dwell_seconds": pl.Float32(),
    "request_id": pl.String(),
    "scene": pl.String(),
    "channel": pl.String(),
    "attributes": pl.String(),
}

# Column of `items.parquet` -> type. `brand`, `price_micros`, `currency`, `created_time`, `attributes` may be null.
ITEM_SCHEMA: Mapping[str, pl.DataType] = {
    "item_id": pl.String(),
    "title": pl.String(),
    "description": pl.String(),
    "category_path": pl.List(pl.String()),
    "brand": pl.String(),
    "price_micros": pl.Int64(),
    "currency": pl.String(),
    "availability": pl.String(),
    "created_time": _TIME,
    "attributes": pl.String(),
}


class Has(msgspec.Struct, frozen=True, kw_only=True):
    """What a data set has. Whatever needs something that it lacks is off, never fed zeros.

    Attributes:
        times: Events have times.
        order: Events have no times, but those of a shopper stand in the order in which they came.
        items: There was an item table; without one, ``items.parquet`` lists identifiers only.
        text: Some item has a title or a description.
        prices: Some item has a price.
        categories: Some item has a category path.
        brands: Some item has a brand.
    """

    times: bool
    items: bool
    text: bool
    prices: bool
    categories: bool
    brands: bool
    order: bool = False

    @property
    def ordered(self) -> bool:
        """Whether it is known what came after what."""
        return self.times or self.order


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What `dataset.json` says.

    Attributes:
        schema_version: Version of the folder's format.
        name: For people.
        currency: ISO 4217 code that most prices are in, if any.
        has: What the data set has.
        events: Number of events.
        items: Number of items.
        first_time: Time of the first event.
        last_time: Time of the last event.
        source: What the data set was made from.
        report: What its maker did: rows read, kept and dropped by reason, or sizes and seed.
    """

    schema_version: int
    name: str
    currency: str | None
    has: Has
    events: int
    items: int
    first_time: datetime | None
    last_time: datetime | None
    source: str
    report: dict[str, Any] = {}


class Dataset:
    """A data set on disk.

    Attributes:
        path: The folder.
        manifest: What is in it.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @property
    def has(self) -> Has:
        """What the data set has."""
        return self.manifest.has

    def events(self) -> pl.LazyFrame:
        """The events in the order of their times, with the columns of `EVENT_SCHEMA`."""
        return pl.scan_parquet(self.path / EVENTS)

    def items(self) -> pl.DataFrame | None:
        """The items with the columns of `ITEM_SCHEMA`, or nothing where no table was written."""
        file = self.path / ITEMS
        return pl.read_parquet(file) if file.exists() else None

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Opens a data set.

        Raises:
            InvalidInput: The folder is no data set, is incomplete, or is of another version.
        """
        folder = Path(path)
        if not (folder / MANIFEST).is_file() or not (folder / EVENTS).is_file():
            raise InvalidInput(
                "data",
                f"{folder} is not a data set: it has no {MANIFEST} with {EVENTS}; "
                "make one with `vitrine import` or `vitrine simulate`",
            )
        try:
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
            schema = pl.read_parquet_schema(folder / EVENTS)
        except (msgspec.MsgspecError, pl.exceptions.PolarsError) as error:
            raise InvalidInput("data", f"{folder} is damaged ({error}); import it again") from error
        if manifest.schema_version != SCHEMA_VERSION:
            raise InvalidInput(
                "data.schema_version",
                f"{folder} has version {manifest.schema_version}, this program reads {SCHEMA_VERSION}; import it again",
            )
        wrong = [name for name, dtype in EVENT_SCHEMA.items() if schema.get(name) != dtype]
        if wrong:
            raise InvalidInput(
                "data.events", f"{folder / EVENTS} lacks or mistypes {', '.join(wrong)}; import it again"
            )
        return cls(folder, manifest)

    @classmethod
    def write(
        cls,
        path: str | PathLike[str],
        events: pl.DataFrame | pl.LazyFrame,
        items: pl.DataFrame | None,
        *,
        name: str,
        source: str,
        currency: str | None = None,
        report: dict[str, Any] | None = None,
        items_given: bool | None = None,
        ordered: bool = False,
    ) -> Self:
        """Writes a data set, replacing the one that is there; the manifest comes last and makes it whole.

        Args:
            path: The folder; made when it is absent.
            events: Columns of `EVENT_SCHEMA` in any order of rows; missing ones are null.
            items: Columns of `ITEM_SCHEMA`; missing ones are empty.
            name: For people.
            source: What it was made from.
            currency: ISO 4217 code of the prices.
            report: What was done, for the manifest.
            items_given: Whether `items` is a real table rather than identifiers from the events; as
                ``items is not None`` when not told.
            ordered: Events without times stand, for each shopper, in the order in which they came.

        Raises:
            InvalidInput: The folder cannot be written.
        """
        folder = Path(path)
        table = (
            complete(events.lazy(), EVENT_SCHEMA).sort("time", maintain_order=True, nulls_last=True).collect()
        )
        catalog = None if items is None else complete(items.lazy(), ITEM_SCHEMA).collect()
        first, last = table.select(pl.col("time").min().alias("a"), pl.col("time").max().alias("b")).row(0)
        given = items is not None if items_given is None else items_given
        manifest = Manifest(
            schema_version=SCHEMA_VERSION,
            name=name,
            currency=currency,
            has=_has(first is not None, ordered and first is None, catalog if given else None),
            events=table.height,
            items=0 if catalog is None else catalog.height,
            first_time=first,
            last_time=last,
            source=source,
            report=report or {},
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MANIFEST).unlink(missing_ok=True)
            table.write_parquet(folder / EVENTS, row_group_size=262_144)
            if catalog is None:
                (folder / ITEMS).unlink(missing_ok=True)
            else:
                catalog.write_parquet(folder / ITEMS)
            (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        except OSError as error:
            raise InvalidInput("out", f"cannot write {folder}: {error.strerror or error}") from error
        return cls(folder, manifest)


def complete(frame: pl.LazyFrame, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The frame with the columns of ``schema``, in that order; missing ones are null, or empty in item tables.

    Args:
        frame: Some of the columns.
        schema: `EVENT_SCHEMA` or `ITEM_SCHEMA`.
    """
    present = frame.collect_schema()
    empty: dict[str, pl.Expr] = {
        "title": pl.lit(""),
        "description": pl.lit(""),
        "availability": pl.lit(Availability.IN_STOCK.name.lower()),
        "category_path": pl.lit([], dtype=pl.List(pl.String)),
    }
    return frame.select(
        (pl.col(name) if name in present else empty.get(name, pl.lit(None))).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


def _has(times: bool, order: bool, items: pl.DataFrame | None) -> Has:
    if items is None:
        return Has(
            times=times, order=order, items=False, text=False, prices=False, categories=False, brands=False
        )
    some = items.select(
        text=((pl.col("title") != "") | (pl.col("description") != "")).any(),
        prices=pl.col("price_micros").is_not_null().any(),
        categories=(pl.col("category_path").list.len() > 0).any(),
        brands=pl.col("brand").is_not_null().any(),
    ).row(0, named=True)
    return Has(times=times, order=order, items=True, **some)
