"""What the candidate is like, beside the other candidates."""

import math
from itertools import pairwise

import numpy as np

from vitrine.catalog import Catalog
from vitrine.domain.profile import DAY
from vitrine.features.scale import Column32, median, places, shares
from vitrine.plugin import Batch


def columns(batch: Batch, catalog: Catalog) -> dict[str, Column32]:
    """The block."""
    del catalog
    items = batch.items
    age = np.where(items.created > 0, np.maximum(batch.request_time - items.created, 0.0) / DAY, math.nan)
    octaves = np.full(len(items.ids), np.nan)
    priced = np.flatnonzero(items.price_micros > 0)
    octaves[priced] = np.log2(items.price_micros[priced])
    for start, end in pairwise(batch.offsets.tolist()):
        own = octaves[start:end]
        known = own[~np.isnan(own)]
        if len(known):
            own -= median(known)
    found = ~np.isnan(batch.source_scores)
    return {
        "item.age_days": np.log1p(age).astype(np.float32),
        "item.price": octaves.astype(np.float32),
        "item.popularity": shares(items.popularity, batch.offsets),
        "item.popularity_rank": places(items.popularity, batch.offsets),
        "item.trend": np.asarray(items.trend, np.float32),
        "item.found_by": found.sum(axis=1).astype(np.float32),
    }
