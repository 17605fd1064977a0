"""Label windows: the last weeks of the data, one by one, and who took what in each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine.domain.profile import DAY
from vitrine_export.exams.exam import LabelQuery
from vitrine_export.exams.undated import drawn
from vitrine_export.targets import BASKET_SECONDS, SMALLEST_BASKET, target_types

# A window is at most so long, and at most this share of the whole time.
_WINDOW_DAYS = 28.0
_WINDOW_SHARE = 0.12
# Before the first window lies at least this share of the time, for the base models to learn from.
_BEFORE = 0.4


@dataclass(frozen=True, slots=True)
class Window:
    """Moments ``start`` to ``end``, Unix seconds; ``end`` itself does not belong to it."""

    start: float
    end: float


def label_windows(first: float, last: float, count: int) -> list[Window]:
    """Up to ``count`` windows that end with the data, the oldest first; fewer where the data is short."""
    length = min(_WINDOW_DAYS * DAY, _WINDOW_SHARE * (last - first))
    windows: list[Window] = []
    end = last + 1e-3
    while len(windows) < count and length > 0 and end - length - first >= _BEFORE * (last - first):
        windows.append(Window(end - length, end))
        end -= length
    return windows[::-1]


def label_queries(
    dataset: Dataset, window: Window, *, home: str, cart: str, limit: int, seed: int
) -> list[LabelQuery]:
    """Who took something in a window, asked for the front page, and baskets of which one half is shown.

    Args:
        dataset: With times.
        window: Where the answers lie.
        home: The scene that shoppers who are known at its start are asked for; everything they took is the answer.
        cart: The scene that baskets are asked for; the half that is not shown is the answer. The first basket of each
            shopper counts: of a later one, the front page's answers have told already.
        limit: At most so many of each, drawn by a hash.
        seed: Decides what is drawn and shown.
    """
    key = pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id"))
    events = dataset.events().with_columns(subject=key, at=pl.col("time").dt.epoch("us") / 1e6)
    before = events.filter(pl.col("at") < window.start).select("subject").unique()
    taken = (
        events.filter(
            (pl.col("at") >= window.start) & (pl.col("at") < window.end),
            pl.col("type").is_in(target_types(dataset)),
            pl.col("item_id").is_not_null() & pl.col("subject").is_not_null(),
        )
        .select("subject", "item_id", "at")
        .sort("subject", "at", "item_id")
        .collect()
    )
    known = taken.join(before.collect(), on="subject", how="semi", maintain_order="left").group_by(
        "subject", maintain_order=True
    )
    pages = [
        LabelQuery(subject, home, (), frozenset(items))
        for subject, items in known.agg(pl.col("item_id").unique()).iter_rows()
    ]
    in_first = pl.col("at") - pl.col("at").min().over("subject") <= BASKET_SECONDS
    first = (
        taken.filter(in_first).group_by("subject", maintain_order=True).agg(pl.col("item_id").unique().sort())
    )
    baskets = [
        _half(subject, items, cart, seed)
        for subject, items in first.iter_rows()
        if len(items) >= SMALLEST_BASKET
    ]
    return [*drawn(pages, limit, seed), *drawn(baskets, limit, seed)]


def _half(subject: str, items: Sequence[str], scene: str, seed: int) -> LabelQuery:
    order = np.argsort(tie_keys([f"{subject}\0{item}" for item in items], seed), kind="stable").tolist()
    shown = len(items) // 2
    return LabelQuery(
        subject, scene, tuple(items[i] for i in order[:shown]), frozenset(items[i] for i in order[shown:])
    )
