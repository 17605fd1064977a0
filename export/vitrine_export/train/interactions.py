"""Events as matrices: who showed interest in what, how strongly and how lately."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from vitrine.dataset import Dataset
from vitrine.domain.events import INTEREST, EventType
from vitrine.domain.profile import DAY

Matrix = sp.csr_array[np.float64, tuple[int, int]]

# Half of the ratio between two interests: a purchase counts about three times as much as a view.
_STRENGTH = {t.name.lower(): (max(w, 0.0) / INTEREST[EventType.PURCHASE]) ** 0.5 for t, w in INTEREST.items()}
_NUMBER = {t.name.lower(): int(t) for t in EventType}


@dataclass(frozen=True, slots=True)
class Interactions:
    """Events that show interest, as parallel columns in the order of the data set.

    Attributes:
        subjects: ``int32[e]``, shoppers 0 to s − 1 in order of appearance.
        items: ``int32[e]``, rows of items.
        strengths: ``float64[e]``, 1 for a purchase.
        times: ``float64[e]``, Unix seconds; ``None`` when the data has none.
        subject_count: s.
        item_count: n.
        types: ``int8[e]``, `EventType` numbers.
        ordered: Events of one shopper stand in the order in which they came; with equal times nobody knows it.
    """

    subjects: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    strengths: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64] | None
    subject_count: int
    item_count: int
    types: npt.NDArray[np.int8]
    ordered: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def where(self, mask: npt.NDArray[np.bool_]) -> Self:
        """The events of a mask; shoppers and items keep their numbers."""
        return replace(
            self,
            subjects=self.subjects[mask],
            items=self.items[mask],
            strengths=self.strengths[mask],
            types=self.types[mask],
            times=None if self.times is None else self.times[mask],
        )

    def values(self, half_life: float) -> npt.NDArray[np.float64]:
        """``float64[e]``: strength, halved for every ``half_life`` seconds before the last event."""
        if self.times is None or not len(self):
            return self.strengths
        decayed: npt.NDArray[np.float64] = self.strengths * np.exp2(
            (self.times - self.times.max()) / half_life
        )
        return decayed

    def by_subject(self, half_life: float, max_history: int) -> Matrix:
        """``s × n``: for each shopper and item, the most that one event says; the rest of a long history is cut."""
        return _matrix(
            self.subjects,
            self.items,
            self.values(half_life),
            (self.subject_count, self.item_count),
            max_history,
        )

    def by_session(self, half_life: float, gap: float, max_history: int) -> Matrix | None:
        """``visits × n``, in the same way, a visit ending with a pause of ``gap`` seconds; ``None`` without times."""
        if self.times is None or not len(self):
            return None
        order = np.lexsort((self.times, self.subjects))
        who, when = self.subjects[order], self.times[order]
        begins = np.ones(len(order), np.bool_)
        begins[1:] = (who[1:] != who[:-1]) | (np.diff(when) > gap)
        visit = np.cumsum(begins) - 1
        shape = (int(visit[-1]) + 1, self.item_count)
        return _matrix(visit, self.items[order], self.values(half_life)[order], shape, max_history)


def item_table(dataset: Dataset, until: datetime | None) -> pl.DataFrame:
    """The items that were there before ``until``: those of the table, and those that only events name.

    With ``until``, an item of the table counts from its created time on, or else from its first event.
    """
    events = dataset.events().filter(pl.col("item_id").is_not_null())
    if until is not None:
        events = events.filter(pl.col("time") < until)
    named = events.select("item_id").unique().collect()
    table = dataset.items()
    if table is None:
        return named
    if until is not None:
        seen = pl.col("item_id").is_in(named["item_id"].implode())
        table = table.filter(seen | (pl.col("created_time") < until).fill_null(value=False))
    return pl.concat([table, named.join(table, on="item_id", how="anti")], how="diagonal")


def read_interactions(dataset: Dataset, item_ids: list[str], until: datetime | None) -> Interactions:
    """Reads the events on these items that show interest; a pair that was hidden later on is left out."""
    events = dataset.events()
    if until is not None:
        events = events.filter(pl.col("time") < until)
    rows = pl.LazyFrame(
        {"item_id": item_ids, "item": np.arange(len(item_ids), dtype=np.int32)},
        schema={"item_id": pl.String, "item": pl.Int32},
    )
    table = (
        events.select(
            "item_id",
            "time",
            "type",
            subject=pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id")),
        )
        .filter(pl.col("subject").is_not_null(), pl.col("item_id").is_not_null())
        .join(rows, on="item_id", how="inner", maintain_order="left")
        .select("item", "subject", "type", pl.col("time").dt.epoch("us").cast(pl.Float64) / 1e6)
        .collect()
    )
    hidden = table.filter(pl.col("type") == "hide").select("item", "subject").unique()
    table = table.with_columns(
        strength=pl.col("type").replace_strict(_STRENGTH, default=0.0, return_dtype=pl.Float64)
    )
    table = table.filter(pl.col("strength") > 0)
    if hidden.height:
        table = table.join(hidden, on=["item", "subject"], how="anti", maintain_order="left")
    # Numbered by first appearance, which is the same in every run.
    subjects = table.select(pl.col("subject").unique(maintain_order=True)).with_row_index("who")
    who = table.select("subject").join(subjects, on="subject", how="left", maintain_order="left")["who"]
    timed = dataset.has.times and not table["time"].null_count()
    return Interactions(
        subjects=who.to_numpy().astype(np.int32),
        items=table["item"].to_numpy(),
        strengths=table["strength"].to_numpy(),
        types=table["type"].replace_strict(_NUMBER, return_dtype=pl.Int8).to_numpy(),
        times=table["time"].to_numpy() if timed else None,
        subject_count=subjects.height,
        item_count=len(item_ids),
        ordered=timed or dataset.has.order,
    )


def half_life_seconds(days: float) -> float:
    """Days as seconds."""
    return days * DAY


def _matrix(
    rows: npt.NDArray[np.integer],
    columns: npt.NDArray[np.int32],
    values: npt.NDArray[np.float64],
    shape: tuple[int, int],
    cap: int,
) -> Matrix:
    """The largest value of each pair; of a row with more than ``cap`` pairs, the largest ones."""
    keys = rows.astype(np.int64) * shape[1] + columns
    order = np.argsort(keys)
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    largest = np.maximum.reduceat(values[order], first) if len(first) else values[:0]
    row, column = np.divmod(keys[first], shape[1])
    lengths = np.bincount(row, minlength=shape[0])
    if lengths.size and lengths.max() > cap:
        by_value = np.lexsort((column, -largest, row))
        rank = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        keep = np.sort(by_value[rank < cap])
        row, column, largest = row[keep], column[keep], largest[keep]
        lengths = np.minimum(lengths, cap)
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return sp.csr_array((largest, column.astype(np.int32), indptr.astype(np.int32)), shape=shape)
