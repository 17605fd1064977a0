"""What the shopper did with the candidate itself."""

import math

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.domain.known_rows import rows_of
from vitrine.domain.profile import DAY, Profile
from vitrine.features.scale import Column32
from vitrine.features.shopper import gap_days
from vitrine.plugin import Batch

_NAMES = (
    "purchases",
    "days_share",
    "quantity",
    "views",
    "in_cart",
    "age_days",
    "purchase_age_days",
    "purchase_age_gaps",
    "purchase_lag_days",
    "long_share",
    "long_rank",
    "short_share",
    "rating",
    "liked",
)
_COLUMNS = tuple(f"history.{name}" for name in _NAMES)
# Counts are 0 for an item that the shopper does not know; ages and ranks are NaN.
_UNKNOWN = (0.0, 0.0, math.nan, 0.0, 0.0, *[math.nan] * 6, 0.0, math.nan, 0.0)
_NOTHING = np.array(_UNKNOWN, np.float32)[:, None]


def columns(batch: Batch, catalog: Catalog) -> dict[str, Column32]:
    """The block."""
    n = len(batch.items.ids)
    table = _NOTHING.repeat(n, axis=1)
    for q, profile in enumerate(batch.profiles):
        start, end = int(batch.offsets[q]), int(batch.offsets[q + 1])
        theirs, mine = _common(batch.items.rows[start:end], rows_of(catalog, profile.items.item_ids))
        if len(theirs):
            table[:, start + theirs] = _rows(profile, batch.request_time)[:, mine]
    return dict(zip(_COLUMNS, table, strict=True))


def _common(
    candidates: npt.NDArray[np.int32], known: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Positions of the candidates that are among the known items, and their positions there."""
    if len(known) == 0:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, candidates, sorter=order), len(known) - 1)
    found = order[place]
    theirs = np.flatnonzero((known[found] == candidates) & (candidates >= 0))
    return theirs, found[theirs]


def _rows(profile: Profile, now: float) -> npt.NDArray[np.float64]:
    """``float64[columns, h]`` for the h items of the shopper."""
    items = profile.items
    long, short = profile.interest(now), profile.interest(now, short=True)
    bought = items.purchases > 0
    purchase_age = np.where(bought, np.maximum(now - items.last_purchase, 0.0) / DAY, math.nan)
    latest = float(items.last_purchase.max(initial=0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        quantity = np.where(bought, items.quantity / items.purchases, math.nan)
    return np.stack(
        [
            np.log1p(np.maximum(items.purchases, 0.0)),
            items.purchases / max(profile.purchase_days, 1),
            np.log1p(np.maximum(quantity, 0.0)),
            np.log1p(np.maximum(items.views, 0.0)),
            np.minimum(items.in_cart, 1.0),
            np.log1p(np.maximum(now - items.last_time, 0.0) / DAY),
            np.log1p(purchase_age),
            np.log1p(purchase_age / gap_days(profile)),
            np.log1p(np.where(bought, (latest - items.last_purchase) / DAY, math.nan)),
            long / max(float(long.max()), 1e-300),
            np.log1p(len(long) - np.searchsorted(np.sort(long), long, "right")),
            short / max(float(short.max()), 1e-300),
            items.rating,
            items.opinion,
        ]
    )
