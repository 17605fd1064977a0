"""What came into the shop lately."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vitrine.domain.profile import DAY, Counters, Profile, decay
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked

_KEYS = 20
_HOUR = 3600.0
# Affinities are compared in so many steps; within a step, the newest item comes first.
_STEPS = 8.0


class NewArrivals:
    """Items created within some days, nearest to the shopper's categories and brands first, then the newest."""

    name: ClassVar[str] = "new_arrivals"

    def __init__(self, days: float) -> None:
        self._window = days * DAY
        self._lately: tuple[object, npt.NDArray[np.int32]] = (None, np.empty(0, np.int32))

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        created = query.columns.created
        rows = self._recent(query)
        age = query.time - created[rows]
        rows = rows[(age <= self._window) & (age >= 0) & query.allowed[rows]]
        if len(rows) == 0:
            if not created.any():
                raise SourceOff("no item of the catalogue has a created time")
            return NOTHING
        fresh = 1.0 - (query.time - created[rows]) / (self._window + DAY)
        affinity = self._affinity(query, rows)
        return ranked(rows, fresh + np.ceil(affinity * _STEPS), query, limit)

    def _recent(self, query: SourceQuery) -> npt.NDArray[np.int32]:
        """``int32[k]``: rows created in the window of any moment of this hour, kept while the catalogue is the same."""
        hour = query.time // _HOUR
        key = query.revision, len(query.columns), hour
        known, rows = self._lately
        if known != key:
            created = query.columns.created
            first, last = hour * _HOUR - self._window, (hour + 1) * _HOUR
            rows = np.flatnonzero((created >= first) & (created <= last)).astype(np.int32)
            self._lately = key, rows
        return rows

    def _affinity(self, query: SourceQuery, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """``float64[k]`` from 0 to 2: share of the favourite category's interest, and of the favourite brand's."""
        catalog, profile = query.catalog, query.profile
        categories = np.zeros(len(catalog.categories) + 1)
        for path, share in _favourites(profile.categories, profile, query.time):
            codes = catalog.category_codes(path)
            codes = codes[codes < len(categories) - 1]
            categories[codes] = np.maximum(categories[codes], share)
        brands = np.zeros(len(catalog.brands) + 1)
        for brand, share in _favourites(profile.brands, profile, query.time):
            brands[min(catalog.brand_code(brand), len(brands) - 1)] = share
        brands[-1] = categories[-1] = 0.0
        # Code −1, for none, reads the last cell.
        category = np.minimum(query.columns.category[rows], len(categories) - 1)
        brand_code = np.minimum(query.columns.brand[rows], len(brands) - 1)
        affinity: npt.NDArray[np.float64] = categories[category] + brands[brand_code]
        return affinity


def _favourites(counters: Counters, profile: Profile, time: float) -> list[tuple[str, float]]:
    interest = decay(counters.long_term, counters.last_time, time, profile.long_half_life)
    top = np.argsort(-interest, kind="stable")[:_KEYS]
    top = top[interest[top] > 0]
    return [(counters.keys[i], float(interest[i] / interest[top[0]])) for i in top.tolist()]
