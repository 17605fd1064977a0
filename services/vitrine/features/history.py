"""What the shopper did with the candidate itself."""

import math

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.bundle.scratch import kept_places
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
COLUMNS = tuple(f"history.{name}" for name in _NAMES)
# Counts are 0 for an item that the shopper does not know; ages and ranks are NaN.
_UNKNOWN = (0.0, 0.0, math.nan, 0.0, 0.0, *[math.nan] * 6, 0.0, math.nan, 0.0)
_NOTHING = np.array(_UNKNOWN, np.float32)[:, None]
# Which columns are logarithms, in the order in which they are made.
_LOGARITHMS = [0, 3, 5, 2, 6, 7, 8, 10]


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block."""
    del bundle
    table = _NOTHING.repeat(len(batch.items.ids), axis=1)
    for q, profile in enumerate(batch.profiles):
        known = rows_of(catalog, profile.items.item_ids)
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        candidates = batch.items.rows[own]
        place = kept_places("catalog", len(catalog) + 1, candidates)
        here = place.take(known)
        if here.any():
            # Where each candidate is among the shopper's items; one that is none of them is at the end, which says so.
            at = np.full(len(candidates) + 1, len(known))
            at[here] = np.arange(len(known))
            at[0] = len(known)
            table[:, own] = _rows(profile, batch.request_time).take(at.take(place.take(candidates)), axis=1)
    return table


def _rows(profile: Profile, now: float) -> Column32:
    """``float32[columns, h + 1]`` for the h items of the shopper, and one that the shopper does not know."""
    items = profile.items
    long, short = profile.interest(now), profile.interest(now, short=True)
    logarithms = np.empty((len(_LOGARITHMS), len(items)))
    purchases, views, ages, quantity, bought_ages, gaps, lags, ranks = logarithms
    purchases[:], views[:] = items.purchases, items.views
    np.divide(now - items.last_time, DAY, out=ages)
    with np.errstate(invalid="ignore", divide="ignore"):
        np.divide(items.quantity, items.purchases, out=quantity)
    np.divide(now - items.last_purchase, DAY, out=bought_ages)
    np.maximum(logarithms[:5], 0.0, out=logarithms[:5])
    np.divide(bought_ages, gap_days(profile), out=gaps)
    np.divide(items.last_purchase.max(initial=0.0) - items.last_purchase, DAY, out=lags)
    np.copyto(logarithms[3:7], math.nan, where=~(items.purchases > 0))
    np.subtract(len(long), np.sort(long).searchsorted(long, "right"), out=ranks)
    table = np.empty((len(_NAMES), len(items) + 1), np.float32)
    table[:, -1:] = _NOTHING
    known = table[:, :-1]
    known[_LOGARITHMS] = np.log1p(logarithms)
    known[1] = items.purchases / max(profile.purchase_days, 1)
    known[4] = np.minimum(items.in_cart, 1.0)
    known[9] = long / max(float(long.max()), 1e-300)
    known[11] = short / max(float(short.max()), 1e-300)
    known[12], known[13] = items.rating, items.opinion
    return table
