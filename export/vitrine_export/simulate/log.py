"""The simulated event log while it grows, and as a data set's table."""

from typing import Any

import numpy as np
import polars as pl

from vitrine.dataset import EVENT_TYPES
from vitrine.domain.events import EventType
from vitrine_export.simulate.catalog import Bools
from vitrine_export.simulate.clock import Clock
from vitrine_export.simulate.vocabulary import Ints

CHANNELS = ("web", "app", "mail")
_TYPES: dict[str, pl.DataType] = {
    "shopper": pl.Int32(),
    "item": pl.Int32(),
    "type": pl.Int8(),
    "time": pl.Int64(),
    "value_micros": pl.Int64(),
    "quantity": pl.Float64(),
    "rating": pl.Float32(),
    "text": pl.String(),
    "dwell_seconds": pl.Float32(),
    "request": pl.Int64(),
    "scene": pl.String(),
    "channel": pl.Int8(),
}


class Log:
    """Events in parts, as columns of row numbers."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(self, event: EventType, shopper: Ints, item: Ints | None, time: Ints, **columns: Any) -> None:
        """Adds events of one type.

        Args:
            event: Their type.
            shopper: ``int64[n]``.
            item: ``int64[n]``, or nothing for searches.
            time: ``int64[n]``, microseconds.
            columns: Any of the other columns, of length n or one value.
        """
        given: dict[str, Any] = {"shopper": shopper, "time": time, **columns}
        if item is not None:
            given["item"] = item
        frame = pl.DataFrame({k: x for k, x in given.items() if isinstance(x, np.ndarray | pl.Series)})
        lits = {k: pl.lit(x) for k, x in given.items() if not isinstance(x, np.ndarray | pl.Series)}
        frame = frame.with_columns(type=pl.lit(int(event)), **lits)
        self._parts.append(
            frame.select(pl.col(name).cast(_TYPES[name]) for name in _TYPES if name in frame.columns)
        )

    def table(
        self, ids: tuple[pl.Series, pl.Series], anonymous: Bools, clock: Clock, prefix: str
    ) -> pl.DataFrame:
        """Everything that happened inside the window, by time, with the columns of `EVENT_SCHEMA`.

        Args:
            ids: Identifiers of the shoppers and of the items.
            anonymous: Which shoppers are.
            clock: The window.
            prefix: What event ids begin with.
        """
        shopper_ids, item_ids = ids
        log = pl.concat(self._parts, how="diagonal")
        self._parts.clear()
        log = log.filter(pl.col("time").is_between(clock.start, clock.end, closed="left"))
        log = log.sort("time", maintain_order=True)
        hidden = pl.Series(anonymous)
        nobody = pl.lit(None, dtype=pl.String)
        people = pl.DataFrame(
            {
                "user_id": pl.select(pl.when(~hidden).then(shopper_ids).otherwise(nobody)).to_series(),
                "anonymous_id": pl.select(pl.when(hidden).then(shopper_ids).otherwise(nobody)).to_series(),
            }
        )
        number = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(8)
        return log.select(
            event_id=pl.lit(prefix) + number,
            user_id=people["user_id"].gather(log["shopper"]),
            anonymous_id=people["anonymous_id"].gather(log["shopper"]),
            item_id=item_ids.gather(log["item"]),
            type=pl.Series(["", *EVENT_TYPES]).gather(log["type"]),
            time=pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            value_micros="value_micros",
            quantity="quantity",
            rating="rating",
            text="text",
            dwell_seconds="dwell_seconds",
            request_id=pl.when(pl.col("request").is_not_null()).then(pl.format(prefix + "r{}", "request")),
            scene="scene",
            channel=pl.Series(CHANNELS).gather(log["channel"]),
        )
