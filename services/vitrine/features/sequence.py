"""How the candidate goes with what came last: the latest item, the visit that goes on, and the way there."""

import math

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.bundle.hits import between
from vitrine.bundle.scratch import kept_places
from vitrine.catalog import Catalog
from vitrine.domain.fading import faded
from vitrine.features.related import dense, neighbours
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

_EVENTS = (
    "since",
    "first",
    "after_latest",
    "times",
    "visit_times",
    "visit_share",
    "visit_events",
    "visit_repeats",
)
MODELS = ("follows", "co_visitation", "linear", "factors", "content")
SAYS = ("latest", "latest3", "faded")
_RELATIONS = tuple(f"{model}_{says}" for model in MODELS for says in SAYS)
COLUMNS = tuple(f"sequence.{name}" for name in (*_EVENTS, "visits", *_RELATIONS))
# As far as the sum of what came before reaches, and how much of an item's weight is left to the one before it.
_MOST, _KEEP = 15, 0.7


def columns(batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> Column32:
    """The block. All of it needs to know what came after what."""
    table = np.full((len(COLUMNS), len(batch.items.ids)), np.nan, np.float32)
    _events(batch, catalog, table[: len(_EVENTS)])
    _likeness(batch, table[len(_EVENTS)])
    _relations(batch, bundle, table[len(_EVENTS) + 1 :])
    return table


def _events(batch: Batch, catalog: Catalog, table: Column32) -> None:
    """When the candidate itself was met first and last, how often, and whether right after the latest item.

    And how long the visit is, and how much of it was repeats.
    """
    since, first, after, times, visit_times, visit_share, visit_events, visit_repeats = table
    table[3:5] = table[6] = 0
    recent = batch.recent
    for q in range(len(batch.profiles)):
        own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
        events = slice(int(recent.offsets[q]), int(recent.offsets[q + 1]))
        rows, visit = recent.rows[events], recent.visit[events]
        if len(rows) == 0:
            continue
        on_visit = rows[visit].tolist()
        if on_visit:
            visit_events[own] = math.log1p(len(on_visit))
            # Unknown items are told apart from known ones, not from each other.
            visit_repeats[own] = (len(on_visit) - len(set(on_visit))) / len(on_visit)
        candidates = batch.items.rows[own]
        cells = len(candidates) + 1
        place = kept_places("catalog", len(catalog) + 1, candidates)
        # The place of each candidate, and of each event's item: 0 where that is none of them.
        mine, here = place.take(candidates), place.take(rows)
        met = np.full((2, cells), np.nan, np.float32)
        steps = np.log1p(recent.steps[events])
        # What is written last stays.
        met[0, here], met[1, here[::-1]] = steps, steps[::-1]
        # Right after the latest item; all counts are made at once.
        then = here[1:][(rows[:-1] == rows[-1]) & (rows[:-1] >= 0)]
        counted = np.concatenate((here, here[visit] + cells, then + 2 * cells))
        counts = np.bincount(counted, minlength=3 * cells).reshape(3, cells)
        met[:, 0] = np.nan
        counts[:, 0] = 0
        since[own], first[own] = met.take(mine, axis=1)
        times[own], seen, followed = counts.take(mine, axis=1)
        if on_visit:
            visit_times[own], visit_share[own] = seen, seen / len(on_visit)
        if len(then):
            after[own] = followed / len(then)
    np.log1p(table[3:5], out=table[3:5])


def _likeness(batch: Batch, column: Column32) -> None:
    """What like visits say, not as a share: where few are much like this one, the best of them says little."""
    if "visits" in batch.source_names:
        scores = batch.source_scores[:, batch.source_names.index("visits")]
        column[:] = np.log(np.where(scores > 0, scores, np.nan), dtype=np.float32)


def _relations(batch: Batch, bundle: AttachedBundle | None, table: Column32) -> None:
    """For each model: its weight from the latest item, the largest from the latest three, a sum that fades."""
    recent = batch.recent
    said = table.reshape(len(MODELS), len(SAYS), -1)
    beside, others = neighbours(bundle, MODELS), dense(batch, bundle, MODELS)
    # NaN, where a model says nothing of a candidate, is no accident.
    with np.errstate(invalid="ignore"):
        for q in range(len(batch.profiles)):
            own = slice(int(batch.offsets[q]), int(batch.offsets[q + 1]))
            events = slice(int(recent.offsets[q]), int(recent.offsets[q + 1]))
            trained, left, _ = faded(recent.bundle_rows[events], _KEEP, _MOST)
            if beside.models and len(trained):
                candidates = batch.items.bundle_rows[own]
                hits = [model.hits_of_some(trained, candidates) for model in beside.models]
                weights = between(hits)
                weights[candidates < 0] = np.nan
                found = np.empty((len(hits), len(SAYS), len(candidates)), np.float32)
                found[:, 0], found[:, 1] = weights[..., 0].T, _best(weights.T)
                found[:, 2] = (weights.reshape(-1, len(trained)) @ _shares(left)).reshape(weights.shape[:2]).T
                said[beside.places, :, own] = found
            for place, relation in others:
                rows = trained
                if relation.live:
                    rows, left, _ = faded(recent.rows[events], _KEEP, _MOST)
                if len(rows):
                    weights = relation.between(rows, own)
                    latest, latest3, by_age = said[place, :, own]
                    latest[:], latest3[:], by_age[:] = weights[0], _best(weights), _shares(left) @ weights


def _best(weights: Column32) -> Column32:
    """The largest weight from the latest three items, ``[h, ...]`` of h."""
    best: Column32 = weights[0]
    for other in weights[1:3]:
        best = np.maximum(best, other)
    return best


def _shares(left: npt.NDArray[np.float64]) -> Column32:
    """What each of the latest items counts in a sum that fades."""
    shares: Column32 = (left / left.sum()).astype(np.float32)
    return shares
