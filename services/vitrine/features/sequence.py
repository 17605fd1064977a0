"""How the candidate goes with what came last: the latest item, the visit that goes on, and the way there."""

import math
from itertools import pairwise

import numpy as np

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.fading import faded
from vitrine.features.related import candidates_of, relations
from vitrine.features.scale import Column32, spread
from vitrine.plugin import Batch

MODELS = ("follows", "co_visitation", "linear", "factors", "content")
SAYS = ("latest", "latest3", "faded")
# As far as the sum of what came before reaches, and how much of an item's weight is left to the one before it.
_MOST, _KEEP = 15, 0.7


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> dict[str, Column32]:
    """The block. All of it needs to know what came after what."""
    del catalog
    return {**_occurrences(batch), **_visits(batch), **_likeness(batch), **_relations(batch, bundle)}


def _occurrences(batch: Batch) -> dict[str, Column32]:
    """When the candidate itself was met first and last, how often, and whether right after the latest item."""
    n = len(batch.items.ids)
    since, first, visit_share, after = np.full((4, n), np.nan, np.float32)
    times, visit_times = np.zeros((2, n), np.float32)
    recent = batch.recent
    for q in range(len(batch.profiles)):
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        events = slice(int(recent.offsets[q]), int(recent.offsets[q + 1]))
        rows = recent.rows[events]
        if len(rows) == 0:
            continue
        here = (rows[:, None] == batch.items.rows[own]) & (rows >= 0)[:, None]
        met = here.any(axis=0)
        last = len(rows) - 1 - here[::-1].argmax(axis=0)
        since[own] = np.where(met, np.log1p(recent.steps[events][last]), np.nan)
        first[own] = np.where(met, np.log1p(recent.steps[events][here.argmax(axis=0)]), np.nan)
        times[own] = here.sum(axis=0)
        visit = here[recent.visit[events]]
        visit_times[own] = visit.sum(axis=0)
        if len(visit):
            visit_share[own] = visit.mean(axis=0)
        before = np.flatnonzero((rows[:-1] == rows[-1]) & (rows[:-1] >= 0))
        if len(before):
            after[own] = here[before + 1].mean(axis=0)
    return {
        "sequence.since": since,
        "sequence.first": first,
        "sequence.after_latest": after,
        "sequence.times": np.log1p(times),
        "sequence.visit_times": np.log1p(visit_times),
        "sequence.visit_share": visit_share,
    }


def _visits(batch: Batch) -> dict[str, Column32]:
    """How long the visit is, and how much of it was repeats."""
    recent, q = batch.recent, len(batch.profiles)
    owners = np.repeat(np.arange(q), np.diff(recent.offsets))[recent.visit]
    rows = recent.rows[recent.visit].astype(np.int64)
    events = np.bincount(owners, minlength=q)
    # Unknown items are told apart from known ones, not from each other.
    pairs = np.unique(owners * (int(rows.max(initial=0)) + 2) + rows + 1)
    distinct = np.bincount(pairs // (int(rows.max(initial=0)) + 2), minlength=q)
    repeats = np.full(q, math.nan)
    np.divide(events - distinct, events, out=repeats, where=events > 0)
    return {
        "sequence.visit_events": spread(np.log1p(events), batch.offsets),
        "sequence.visit_repeats": spread(repeats, batch.offsets),
    }


def _likeness(batch: Batch) -> dict[str, Column32]:
    """What like visits say, not as a share: where few are much like this one, the best of them says little."""
    found = np.full(len(batch.items.ids), np.nan, np.float32)
    if "visits" in batch.source_names:
        scores = batch.source_scores[:, batch.source_names.index("visits")]
        found = np.log(np.where(scores > 0, scores, np.nan), dtype=np.float32)
    return {"sequence.visits": found}


def _relations(batch: Batch, bundle: AttachedBundle | None) -> dict[str, Column32]:
    """For each model: its weight from the latest item, the largest from the latest three, a sum that fades."""
    n = len(batch.items.ids)
    blank = np.full(n, np.nan, np.float32)
    found = {f"sequence.{model}_{says}": blank for model in MODELS for says in SAYS}
    recent = batch.recent
    starts = {
        live: [faded(events[start:end], _KEEP, _MOST) for start, end in pairwise(recent.offsets.tolist())]
        for live, events in ((True, recent.rows), (False, recent.bundle_rows))
    }
    for relation in relations(bundle):
        table = np.full((len(SAYS), n), np.nan, np.float32)
        for q, (rows, left, _) in enumerate(starts[relation.live]):
            if len(rows) == 0:
                continue
            own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
            weights = relation.between(rows, candidates_of(batch, q, relation))
            table[0, own] = weights[0]
            table[1, own] = weights[:3].max(axis=0)
            # NaN, where a model says nothing of a candidate, is no accident.
            with np.errstate(invalid="ignore"):
                table[2, own] = (left / left.sum()).astype(np.float32) @ weights
        found.update({f"sequence.{relation.name}_{says}": table[i] for i, says in enumerate(SAYS)})
    return found
