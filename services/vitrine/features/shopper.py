"""What the shopper is like."""

import math

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.profile import DAY, Profile
from vitrine.features.scale import Column32, spread
from vitrine.plugin import Batch

_NAMES = (
    "events",
    "purchase_days",
    "idle_days",
    "tenure_days",
    "items",
    "basket",
    "gap_days",
    "repeats",
)
COLUMNS = tuple(f"shopper.{name}" for name in _NAMES)


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block: logarithms of counts and days; NaN for a shopper of whom nothing is known."""
    del catalog, bundle
    table = np.array([_row(profile, batch.request_time) for profile in batch.profiles], np.float32)
    return spread(table.reshape(-1, len(_NAMES)).T, batch.offsets)


def gap_days(profile: Profile) -> float:
    """Mean number of days between the days on which the shopper bought; NaN with fewer than two."""
    days = profile.purchase_days
    if days < 2:
        return math.nan
    first = profile.first_time
    return max(float(profile.items.last_purchase.max(initial=first)) - first, DAY) / DAY / (days - 1)


def _row(profile: Profile, now: float) -> tuple[float, ...]:
    if profile.event_count <= 0:
        return (0.0, 0.0, math.nan, math.nan, 0.0, math.nan, math.nan, math.nan)
    purchases = profile.items.purchases
    # A profile that came over the wire may hold anything; nonsense in it must not cost the rankers their columns.
    total, distinct = max(float(np.add.reduce(purchases)), 0.0), int(np.count_nonzero(purchases))
    days = max(profile.purchase_days, 0)
    return (
        math.log1p(profile.event_count),
        math.log1p(days),
        math.log1p(max(now - profile.last_time, 0.0) / DAY),
        math.log1p(max(now - profile.first_time, 0.0) / DAY),
        math.log1p(len(profile.items)),
        math.log1p(total / days) if days else math.nan,
        math.log1p(gap_days(profile)),
        1.0 - distinct / total if total else math.nan,
    )
