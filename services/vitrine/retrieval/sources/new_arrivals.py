"""What came into the shop lately."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vitrine.domain.profile import DAY, Counters, Profile, decay
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ranked

_KEYS = 20
# Affinities are compared in so many steps; within a step, the newest item comes first.
_STEPS = 8.0


class NewArrivals:
    """Items created within some days, nearest to the shopper's categories and brands first, then the newest."""

    name: ClassVar[str] = "new_arrivals"

    def __init__(self, days: float) -> None:
        self._window = days * DAY

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        created = query.columns.created
        age = query.time - created
        rows = np.flatnonzero((age <= self._window) & (age >= 0) & query.allowed).astype(np.int32)
        if len(rows) == 0:
            if not created.any():
                raise SourceOff("no item of the catalogue has a created time")
            return NOTHING
        fresh = 1.0 - age[rows] / (self._window + DAY)
        affinity = self._affinity(query, rows)
        return ranked(rows, fresh + np.ceil(affinity * _STEPS), query, limit)

    def _affinity(self, query: SourceQuery, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """``float64[k]`` from 0 to 2: share of the favourite category's interest, and of the favourite brand's."""
        catalog, profile = query.catalog, query.profile
        categories = np.zeros(len(catalog.categories) + 1)
        for path, share in _favourites(profile.categories, profile, query.time):
            codes = catalog.category_codes(path)
            categories[codes] = np.maximum(categories[codes], share)
        brands = np.zeros(len(catalog.brands) + 1)
        for brand, share in _favourites(profile.brands, profile, query.time):
            brands[catalog.brand_code(brand)] = share
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
