"""How the candidate goes with what the shopper knows, in whatever order that came."""

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.bundle.hits import summed
from vitrine.catalog import Catalog
from vitrine.features.related import Dense, Rows, dense, neighbours
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

# What follows what needs an order: see `vitrine.features.sequence`.
MODELS = ("co_visitation", "linear", "content")
SAYS = ("max", "mean", "share")
COLUMNS = tuple(f"relation.{model}_{says}" for model in MODELS for says in SAYS)


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block: for each model the largest weight, the mean, and the share of the history that leads to the candidate.

    NaN where the model, or a history that it knows, is not there. For content, where everything resembles everything a
    little, items lead to a candidate when the cosine is above one half.
    """
    del catalog
    table = np.full((len(MODELS), len(SAYS), len(batch.items.ids)), np.nan, np.float32)
    history = batch.history
    beside, others = neighbours(bundle, MODELS), dense(batch, bundle, MODELS)
    for q in range(len(batch.profiles)):
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        mine = slice(int(history.offsets[q]), int(history.offsets[q + 1]))
        trained = history.bundle_rows[mine]
        trained = trained[trained >= 0]
        if beside.models and len(trained):
            candidates = batch.items.bundle_rows[own]
            # The mean is rounded once.
            largest, total, counts = summed([model.hits(trained, candidates) for model in beside.models])
            said = np.empty((len(largest), len(SAYS), len(candidates)), np.float32)
            said[:, 0] = largest
            np.divide(total, len(trained), out=said[:, 1], casting="same_kind")
            np.divide(counts, len(trained), out=said[:, 2], casting="same_kind")
            said[..., candidates < 0] = np.nan
            table[beside.places, :, own] = said
        known = history.rows[mine]
        for place, relation in others:
            rows = known if relation.live else trained
            rows = rows[rows >= 0]
            if len(rows):
                _sum(relation, rows, own, table[place, :, own])
    return table.reshape(len(COLUMNS), -1)


def _sum(relation: Dense, rows: Rows, own: slice, said: Column32) -> None:
    """The three columns of a dense relation, of one query."""
    weights = relation.between(rows, own)
    largest, mean, share = said
    np.maximum.reduce(weights, axis=0, out=largest)
    np.divide(np.add.reduce(weights, axis=0), np.float32(len(rows)), out=mean)
    # Bytes add up far quicker, as long as they hold the sum.
    kind = np.uint8 if len(rows) < 256 else np.int64
    leads = np.add.reduce((weights > relation.leads).view(np.uint8), axis=0, dtype=kind)
    np.divide(leads, len(rows), out=share, casting="same_kind")
    share[np.isnan(largest)] = np.nan
