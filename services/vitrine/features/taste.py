"""How the candidate's category, brand and price fit the shopper."""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.profile import Counters, Profile
from vitrine.features.codes import category_names
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

_BAND = re.compile(r"-?[0-9]{1,3}")
_NAMES = ("category", "category_now", "top_category", "brand", "price_band", "price_gap")
COLUMNS = tuple(f"taste.{name}" for name in _NAMES)

Floats = npt.NDArray[np.float64]


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block: shares of the shopper's strongest interest; NaN where item or shopper has nothing to compare."""
    del bundle
    table = np.full((len(COLUMNS), len(batch.items.ids)), np.nan, np.float32)
    items, now, names = batch.items, batch.request_time, category_names(catalog)
    for q, profile in enumerate(batch.profiles):
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        if profile.event_count == 0:
            continue
        category, brand = items.category[own], items.brand[own]
        keys = profile.categories.keys
        shares = np.empty((2, len(keys)))
        shares[0] = _shares(profile, profile.categories, now)
        shares[1] = _shares(profile, profile.categories, now, short=True)
        table[:2, own] = _by_code(shares, keys, names.paths.get, len(names.paths)).take(category, axis=1)
        by_department = _by_code(shares[0], keys, names.departments.get, len(names.departments))
        table[2, own] = by_department.take(names.department.take(category))
        brands = _shares(profile, profile.brands, now)
        # Counted after the codes were given out, so that each has a cell.
        table[3, own] = _by_code(brands, profile.brands.keys, catalog.brand_code, len(catalog.brands)).take(
            brand
        )
        _price(profile, items.price_micros[own], now, table[4:6, own])
    return table


def _shares(profile: Profile, counters: Counters, now: float, *, short: bool = False) -> Floats:
    """``float64[k]``: interest in each of k keys as a share of the largest."""
    interest = profile.counted(counters, now, short=short)
    largest = float(interest.max(initial=0.0))
    return interest / largest if largest > 0 else np.zeros(len(interest))


def _by_code(shares: Floats, keys: Sequence[str], code_of: Callable[[str], int | None], size: int) -> Floats:
    """``float64[..., size + 1]``: shares by code, 0 for one that the shopper does not know; NaN at −1, for none.

    Args:
        shares: ``float64[..., k]``, of each key.
        keys: k names.
        code_of: The code of a name; ``None`` or −1 for what no item has.
        size: How many codes there are.
    """
    codes = [code_of(key) if key else None for key in keys]
    found = np.zeros((*shares.shape[:-1], size + 1))
    # What has no code falls into the last cell.
    found[..., [-1 if code is None or code >= size else code for code in codes]] = shares
    found[..., size] = math.nan
    return found


# Keys of a half-octave of price are its number; a profile that came over the wire may hold anything.
@lru_cache(maxsize=1024)
def _half_octave(key: str) -> int | None:
    return int(key) if _BAND.fullmatch(key) else None


def _price(profile: Profile, price_micros: npt.NDArray[np.int64], now: float, out: Column32) -> None:
    """``[2, m]``: interest in the item's half-octave of price, and octaves above what the shopper looks at."""
    bands = profile.price_bands
    priced = (price_micros > 0).nonzero()[0]
    theirs = [_half_octave(key) for key in bands.keys]
    numbered = [place for place, number in enumerate(theirs) if number is not None]
    interest = profile.counted(bands, now)[numbered]
    total = float(interest.sum())
    if not len(priced) or total <= 0:
        return
    octaves = np.log2(price_micros.take(priced) / 1e6)
    numbers = np.array([theirs[place] for place in numbered], np.int64)
    band = np.floor(2 * octaves).astype(np.int64)
    lowest = int(numbers.min())
    # One cell more on either side, for what the shopper does not know.
    known = np.bincount(numbers - (lowest - 1), interest)
    known = np.concatenate((known / float(interest.max()), (0.0,)))
    band -= lowest - 1
    out[0, priced] = known.take(band, mode="clip")
    # The middle of a half-octave lies a quarter of an octave above its edge.
    out[1, priced] = octaves - (float(numbers @ interest) / total / 2 + 0.25)
