"""A plugin that is no part of Vitrine: ranker `cheapest_shelf`, and the same as a feature column.

A shelf is what the candidates of a request have of one leaf category. The cheapest of each shelf has 1, one that costs
twice as much ½.
"""

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from vitrine.domain.answer import ReasonCode
from vitrine.plugin import Batch, FeatureColumn, LoadContext, Scores, hookimpl

VITRINE_CONTRACT = 1


class Settings(BaseModel):
    """The table ``[plugins.cheapest_shelf.settings]``."""

    model_config = ConfigDict(extra="forbid")

    sharpness: float = Field(1.0, gt=0, description="Above 1, what costs a little more falls behind further.")


def cheapness(batch: Batch) -> Scores:
    """``float32[n]``: the lowest price of the shelf ÷ the item's; NaN without a price or a category."""
    items = batch.items
    price = items.price_micros.astype(np.float64)
    query = np.repeat(np.arange(len(batch.profiles)), np.diff(batch.offsets))
    known = np.flatnonzero((price > 0) & (items.category >= 0))
    out = np.full(len(price), np.nan, np.float32)
    if len(known):
        # Shelf by shelf, the cheapest of each first.
        order = known[np.lexsort((price[known], items.category[known], query[known]))]
        shelf = np.stack((query[order], items.category[order]))
        first = np.flatnonzero(np.r_[True, (shelf[:, 1:] != shelf[:, :-1]).any(axis=0)])
        lowest = np.repeat(price[order[first]], np.diff(np.r_[first, len(order)]))
        out[order] = lowest / price[order]
    return out


class CheapestShelf:
    """The ranker."""

    name = "cheapest_shelf"
    version = "2.3.4"
    reason: ReasonCode | None = None
    budget_ms = 50.0
    partial = True

    def __init__(self, sharpness: float) -> None:
        self._sharpness = np.float32(sharpness)

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``, 0 to 1."""
        return cheapness(batch) ** self._sharpness


class Columns:
    """The feature column."""

    columns = (FeatureColumn("cheapness", "how cheap it is among its like", version=7),)
    budget_ms = 50.0

    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        """``float32[n]``."""
        return {"cheapness": cheapness(batch)}


@hookimpl
def vitrine_settings() -> type[Settings]:
    """What may be configured."""
    return Settings


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> CheapestShelf:
    """The ranker."""
    return CheapestShelf(load.settings.sharpness)


@hookimpl
def vitrine_make_features(load: LoadContext) -> Columns:
    """The column."""
    del load
    return Columns()
