"""How the candidate's category, brand and price fit the shopper."""

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.domain.profile import Counters, Profile, decay
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

_BAND = re.compile(r"-?[0-9]{1,3}")
_NAMES = ("category", "category_now", "top_category", "brand", "price_band", "price_gap")


def columns(batch: Batch, catalog: Catalog) -> dict[str, Column32]:
    """The block: shares of the shopper's strongest interest; NaN where item or shopper has nothing to compare."""
    table = np.full((len(_NAMES), len(batch.items.ids)), np.nan, np.float32)
    items, now = batch.items, batch.request_time
    for q, profile in enumerate(batch.profiles):
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        if profile.event_count == 0:
            continue
        codes, place = np.unique(items.category[own], return_inverse=True)
        leaves = [catalog.categories[c] if c >= 0 else "" for c in codes.tolist()]
        tops = [leaf.partition(" > ")[0] for leaf in leaves]
        table[0, own] = _of(profile.categories, leaves, profile, now)[place]
        table[1, own] = _of(profile.categories, leaves, profile, now, short=True)[place]
        table[2, own] = _of(profile.categories, tops, profile, now)[place]
        codes, place = np.unique(items.brand[own], return_inverse=True)
        brands = [catalog.brands[c] if c >= 0 else "" for c in codes.tolist()]
        table[3, own] = _of(profile.brands, brands, profile, now)[place]
        table[4:6, own] = _price(profile, items.price_micros[own], now)
    return {f"taste.{name}": table[i] for i, name in enumerate(_NAMES)}


def _of(
    counters: Counters, keys: Sequence[str], profile: Profile, now: float, *, short: bool = False
) -> npt.NDArray[np.float64]:
    """``float64[k]``: interest in some keys as a share of the largest; 0 for a key that the shopper does not know."""
    found = np.array([math.nan if key == "" else 0.0 for key in keys])
    if len(counters) == 0:
        return found
    interest = _interest(counters, profile, now, short=short)
    largest = float(interest.max())
    if largest <= 0:
        return found
    known = dict(zip(counters.keys, range(len(counters)), strict=True))
    for i, key in enumerate(keys):
        if (row := known.get(key)) is not None:
            found[i] = interest[row] / largest
    return found


def _interest(
    counters: Counters, profile: Profile, now: float, *, short: bool = False
) -> npt.NDArray[np.float64]:
    values = counters.short_term if short else counters.long_term
    half_life = profile.short_half_life if short else profile.long_half_life
    return np.maximum(decay(values, counters.last_time, now, half_life), 0.0)


def _price(profile: Profile, price_micros: npt.NDArray[np.int64], now: float) -> npt.NDArray[np.float64]:
    """``float64[2, m]``: interest in the item's half-octave of price, and octaves above what the shopper looks at."""
    out = np.full((2, len(price_micros)), math.nan)
    bands = profile.price_bands
    priced = price_micros > 0
    if len(bands) == 0 or not priced.any():
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
    same = band[:, None] == theirs[None, :]
    out[0, priced] = (same * interest).sum(axis=1) / float(interest.max())
    # The middle of a half-octave lies a quarter of an octave above its edge.
    out[1, priced] = octaves - (float(theirs @ interest) / total / 2 + 0.25)
    return out
