"""What came into the shop lately."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Rows
from vitrine.domain.profile import DAY, Counters, Profile
from vitrine.retrieval.arrivals import LatelyArrived
from vitrine.retrieval.query import SourceQuery
from vitrine.retrieval.sources.base import NOTHING, Found, SourceOff, ordered

_KEYS = 20
_HOUR = 3600.0
# Affinities are compared in so many steps; within a step, what resembles the shopper's items and the newest come first.
_STEPS = 8.0
# Of so many times the wanted items, and at least so many, the texts are looked at.
_READ, _READ_LEAST = 10, 1000


class NewArrivals:
    """Items created within some days, nearest to the shopper first: by categories and brands, then by text and newness."""

    name: ClassVar[str] = "new_arrivals"

    def __init__(self, days: float) -> None:
        self._window = days * DAY
        self._lately = LatelyArrived(self._window)

    def find(self, query: SourceQuery, limit: int) -> Found:
        """See `Source`."""
        recent = self._lately.around(query.catalog, query.time // _HOUR).within(
            query.time - self._window, query.time
        )
        # By pair of category and brand, of which there are far fewer than items.
        affinity = _affinity(query, recent.pairs.categories, recent.pairs.brands)
        steps = np.ceil(affinity * _STEPS).astype(np.int8)
        # Where most of a catalogue is new, reading all its texts would cost more than all else.
        most = max(_READ * limit, _READ_LEAST)
        kept = recent.best(steps, query.allowed, query.columns.tie, limit, most)
        if len(kept) == 0:
            if not query.columns.created.any():
                raise SourceOff("no item of the catalogue has a created time")
            return NOTHING
        # One order whatever came when: the last bits of a product depend on where a vector stands.
        kept = kept.take(query.columns.tie.take(recent.rows.take(kept)).argsort())
        rows, age = recent.rows.take(kept), query.time - recent.created.take(kept)
        step = steps.take(recent.pair.take(kept))
        # Newness and likeness are below 1 together, so that they order items within a step alone.
        scores = step + (1.0 - age / (self._window + DAY)) / 2
        return ordered(rows, scores + _likeness(query, rows) / 2, query, limit)


def _affinity(query: SourceQuery, category: Rows, brand: Rows) -> npt.NDArray[np.float64]:
    """``float64[k]`` from 0 to 2: share of the favourite category's interest, and of the favourite brand's.

    Args:
        query: The request.
        category: ``int32[k]``, codes; −1 for none.
        brand: ``int32[k]``, the same.
    """
    catalog, profile = query.catalog, query.profile
    paths, of_paths = _favourites(profile.categories, profile, query.time)
    by_path = catalog.category_codes(paths)
    names, of_names = _favourites(profile.brands, profile, query.time)
    by_name = catalog.brand_codes(names)
    # Read after the codes: the tables have a cell for each. Code −1, for none, reads the last cell, which stays 0.
    categories = np.zeros(len(catalog.categories) + 1)
    brands = np.zeros(len(catalog.brands) + 1)
    # The favourite is written last and so stands, whatever lesser level names the same code.
    if by_path:
        categories[np.concatenate(by_path[::-1])] = of_paths[::-1].repeat(
            [len(codes) for codes in by_path[::-1]]
        )
    brands[by_name] = of_names
    brands[-1] = 0.0
    affinity: npt.NDArray[np.float64] = categories.take(category) + brands.take(brand)
    return affinity


def _likeness(query: SourceQuery, rows: Rows) -> npt.NDArray[np.float64]:
    """``float64[k]`` from 0 to 1: how like the shopper's items each is by text; 0 where nothing is known of that."""
    like = np.zeros(len(rows))
    target, vectors = query.direction, None if query.bundle is None else query.bundle.content
    if vectors is not None and target is not None and target.any():
        known = (rows < len(vectors)).nonzero()[0]
        # In fours, as BLAS goes: what is left over at the end is added up in another order.
        filled = rows.take(np.concatenate((known, known[: -len(known) % 4])))
        products = (vectors.take(filled, axis=0) @ target)[: len(known)]
        like[known] = np.minimum(np.maximum(products, 0), 1)
    return like


def _favourites(
    counters: Counters, profile: Profile, time: float
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The keys of most interest, the first first, and ``float64[f]``, what share of its interest each has."""
    interest = profile.counted(counters, time)
    top = (-interest).argsort(kind="stable")[:_KEYS]
    interest = interest.take(top)
    interest = interest[interest > 0]
    return [counters.keys[i] for i in top[: len(interest)].tolist()], interest / interest[:1]
