"""What the window is about."""

import numpy as np

from vitrine.catalog import Catalog
from vitrine.features.scale import Column32, spread
from vitrine.plugin import Batch


def columns(batch: Batch, catalog: Catalog) -> dict[str, Column32]:
    """The block."""
    del catalog
    seeds = np.array([len(context.seeds) for context in batch.contexts], np.float64)
    return {"context.seeds": spread(np.log1p(seeds), batch.offsets)}
