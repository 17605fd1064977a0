"""How the candidate's category, brand and price fit the shopper."""

import math
import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.domain.profile import Counters, Profile, decay
from vitrine.features.codes import category_names
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

_BAND = re.compile(r"-?[0-9]{1,3}")
_NAMES = ("category", "category_now", "top_category", "brand", "price_band", "price_gap")
_COLUMNS = tuple(f"taste.{name}" for name in _NAMES)

Floats = npt.NDArray[np.float64]


def columns(batch: Batch, catalog: Catalog) -> dict[str, Column32]:
    """The block: shares of the shopper's strongest interest; NaN where item or shopper has nothing to compare."""
    table = np.full((len(_NAMES), len(batch.items.ids)), np.nan, np.float32)
    items, now, names = batch.items, batch.request_time, category_names(catalog)
    for q, profile in enumerate(batch.profiles):
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        if profile.event_count == 0:
            continue
        category, brand = items.category[own], items.brand[own]
        paths, departments = names.paths, names.departments
        shares = _shares(profile.categories, profile, now)
        table[0, own] = _by_code(profile.categories, shares, paths.get, len(paths)).take(category)
        by_department = _by_code(profile.categories, shares, departments.get, len(departments))
        table[2, own] = by_department.take(names.department.take(category))
        shares = _shares(profile.categories, profile, now, short=True)
        table[1, own] = _by_code(profile.categories, shares, paths.get, len(paths)).take(category)
        shares = _shares(profile.brands, profile, now)
        # Counted after the codes were given out, so that each has a cell.
        table[3, own] = _by_code(profile.brands, shares, catalog.brand_code, len(catalog.brands)).take(brand)
        table[4:6, own] = _price(profile, items.price_micros[own], now)
    return dict(zip(_COLUMNS, table, strict=True))


def _shares(counters: Counters, profile: Profile, now: float, *, short: bool = False) -> Floats:
    """``float64[k]``: interest in each of k keys as a share of the largest."""
    interest = _interest(counters, profile, now, short=short)
    largest = float(interest.max(initial=0.0))
    return interest / largest if largest > 0 else np.zeros(len(interest))


def _by_code(counters: Counters, shares: Floats, code_of: Callable[[str], int | None], size: int) -> Floats:
    """``float64[size + 1]``: shares by code, 0 for one that the shopper does not know; NaN at −1, for none.

    Args:
        counters: Its keys are names.
        shares: ``float64[k]``, of each key.
        code_of: The code of a name; ``None`` or −1 for what no item has.
        size: How many codes there are.
    """
    found = np.zeros(size + 1)
    for name, share in zip(counters.keys, shares.tolist(), strict=True):
        code = code_of(name) if name else None
        if code is not None and 0 <= code < size:
            found[code] = share
    found[size] = math.nan
    return found


def _interest(counters: Counters, profile: Profile, now: float, *, short: bool = False) -> Floats:
    values = counters.short_term if short else counters.long_term
    half_life = profile.short_half_life if short else profile.long_half_life
    return np.maximum(decay(values, counters.last_time, now, half_life), 0.0)


def _price(profile: Profile, price_micros: npt.NDArray[np.int64], now: float) -> Floats:
    """``float64[2, m]``: interest in the item's half-octave of price, and octaves above what the shopper looks at."""
    out = np.full((2, len(price_micros)), math.nan)
    bands = profile.price_bands
    priced = np.flatnonzero(price_micros > 0)
    if len(bands) == 0 or not len(priced):
        return out
    octaves = np.log2(price_micros[priced] / 1e6)
    interest = _interest(bands, profile, now)
    # Half-octaves by number; a profile that came over the wire may hold anything.
    numbered = [place for place, key in enumerate(bands.keys) if _BAND.fullmatch(key)]
    theirs = np.array([int(bands.keys[place]) for place in numbered], np.int64)
    interest = interest[numbered]
    total = float(interest.sum())
    if total <= 0:
        return out
    band = np.floor(2 * octaves).astype(np.int64)
    lowest, highest = int(theirs.min()), int(theirs.max())
    # One cell more on either side, for what the shopper does not know.
    known = np.zeros(highest - lowest + 3)
    np.add.at(known, theirs - (lowest - 1), interest)
    out[0, priced] = known[np.clip(band, lowest - 1, highest + 1) - (lowest - 1)] / float(interest.max())
    # The middle of a half-octave lies a quarter of an octave above its edge.
    out[1, priced] = octaves - (float(theirs @ interest) / total / 2 + 0.25)
    return out
