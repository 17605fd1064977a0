"""What the candidate is like, beside the other candidates."""

from itertools import pairwise

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.profile import DAY
from vitrine.features.scale import Column32, median
from vitrine.plugin import Batch

# How popular it is stands beside what components say of it (`vitrine.features.features`).
COLUMNS = ("item.age_days", "item.price", "item.trend", "item.found_by")


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block."""
    del catalog, bundle
    items = batch.items
    table = np.full((len(COLUMNS), len(items.ids)), np.nan, np.float32)
    dated = (items.created > 0).nonzero()[0]
    age = np.maximum(batch.request_time - items.created.take(dated), 0.0) / DAY
    table[0, dated] = np.log1p(age)
    priced = (items.price_micros > 0).nonzero()[0]
    octaves = np.log2(items.price_micros.take(priced))
    ends = priced.searchsorted(batch.offsets)
    for start, end in pairwise(ends.tolist()):
        if end > start:
            octaves[start:end] -= median(octaves[start:end])
    table[1, priced] = octaves
    table[2] = items.trend
    found = ~np.isnan(batch.source_scores)
    table[3] = found.astype(np.float32) @ np.ones(found.shape[1], np.float32)
    return table
