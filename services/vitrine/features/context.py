"""What the window is about."""

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.features.scale import Column32, spread
from vitrine.plugin import Batch

COLUMNS = ("context.seeds",)


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block."""
    del catalog, bundle
    seeds = np.array([[len(context.seeds) for context in batch.contexts]], np.float64)
    return spread(np.log1p(seeds), batch.offsets)
