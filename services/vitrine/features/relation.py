"""How the candidate goes with what the shopper knows, in whatever order that came."""

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.features.related import candidates_of, relations
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

# What follows what needs an order: see `vitrine.features.sequence`.
MODELS = ("co_visitation", "linear", "content")
SAYS = ("max", "mean", "share")


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> dict[str, Column32]:
    """The block: for each model the largest weight, the mean, and the share of the history that leads to the candidate.

    NaN where the model, or a history that it knows, is not there. For content, where everything resembles everything a
    little, items lead to a candidate when the cosine is above one half.
    """
    del catalog
    n = len(batch.items.ids)
    blank = np.full(n, np.nan, np.float32)
    found = {f"relation.{model}_{says}": blank for model in MODELS for says in SAYS}
    history = batch.history
    for relation in relations(bundle):
        if relation.name not in MODELS:
            continue
        table = np.full((len(SAYS), n), np.nan, np.float32)
        rows = history.rows if relation.live else history.bundle_rows
        for q in range(len(batch.profiles)):
            mine = rows[int(history.offsets[q]) : int(history.offsets[q + 1])]
            mine = mine[mine >= 0]
            if len(mine) == 0:
                continue
            own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
            table[:, own] = relation.summed(mine, candidates_of(batch, q, relation))
        found.update({f"relation.{relation.name}_{says}": table[i] for i, says in enumerate(SAYS)})
    return found
