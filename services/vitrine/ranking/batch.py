"""Makes the columns that rankers read out of queries, the catalogue and the bundle. Once per batch."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.known_rows import rows_of
from vitrine.domain.recent import latest
from vitrine.features import Features, NoFeatures
from vitrine.interest.inputs import CONTEXT_SHARE, SHORT_SHARE
from vitrine.plugin import Batch, History, Items, Recent, Scores
from vitrine.ranking.query import RankingQuery, ShopperQuery

T = TypeVar("T", bound=np.generic)

# Beyond this many items the rest of a history adds cost and no order.
MAX_HISTORY = 200
_NO_ROWS = np.empty(0, np.int32)


def make_batch(
    query: RankingQuery,
    catalog: Catalog,
    bundle: AttachedBundle | None,
    scores: Mapping[str, Scores],
    *,
    visit_gap: float = math.inf,
) -> Batch:
    """The batch for a query.

    Args:
        query: Who asks, and the candidates.
        catalog: This process's copy of the catalogue.
        bundle: The models, if any.
        scores: Shown to the rankers as it fills.
        visit_gap: A pause of more than so many seconds ends a visit.
    """
    candidates = query.candidates
    bare = Batch(
        request_time=query.request_time,
        offsets=_frozen(query.offsets),
        items=_items(query, catalog, bundle),
        history=_history(query, catalog, bundle),
        recent=_recent(query, catalog, bundle, visit_gap),
        profiles=tuple(q.profile for q in query.queries),
        contexts=tuple(q.context for q in query.queries),
        scenes=tuple(q.scene for q in query.queries),
        source_names=candidates.source_names,
        source_scores=_frozen(candidates.scores),
        scores=scores,
        features=NoFeatures(),
    )
    return replace(bare, features=Features(bare, catalog, bundle))


def _items(query: RankingQuery, catalog: Catalog, bundle: AttachedBundle | None) -> Items:
    ids = query.candidates.item_ids
    told = query.candidates.rows
    rows = told if len(told) == len(ids) else catalog.rows(ids)
    return Items(
        ids=tuple(ids),
        rows=_frozen(rows),
        bundle_rows=_bundle_rows(rows, bundle),
        price_micros=_gather(catalog.price_micros, rows, 0),
        created=_gather(catalog.created, rows, 0),
        category=_gather(catalog.category, rows, -1),
        brand=_gather(catalog.brand, rows, -1),
        popularity=_signal(query.candidates.popularity, len(ids)),
        trend=_signal(query.candidates.trend, len(ids)),
    )


def _history(query: RankingQuery, catalog: Catalog, bundle: AttachedBundle | None) -> History:
    parts = [_shopper_history(q, query.request_time, catalog) for q in query.queries]
    rows = np.concatenate([_NO_ROWS, *(part.rows for part in parts)])
    return History(
        offsets=_frozen(np.cumsum([0] + [len(part.ids) for part in parts], dtype=np.int64)),
        ids=tuple(item_id for part in parts for item_id in part.ids),
        rows=_frozen(rows),
        bundle_rows=_bundle_rows(rows, bundle),
        weights=_frozen(np.concatenate([np.empty(0), *(part.weights for part in parts)])),
        purchased=_frozen(np.concatenate([np.empty(0, np.bool_), *(part.purchased for part in parts)])),
    )


def _recent(query: RankingQuery, catalog: Catalog, bundle: AttachedBundle | None, visit_gap: float) -> Recent:
    parts = [latest(q.profile, q.context, query.request_time, visit_gap) for q in query.queries]
    sizes = np.array([len(part.item_ids) for part in parts], np.int64)
    ends = np.cumsum(sizes)
    told = [
        (q.profile.recent.item_ids, part.places, q.context)
        for q, part in zip(query.queries, parts, strict=True)
    ]
    rows = np.concatenate(
        [
            _NO_ROWS,
            *(
                part
                for ids, places, context in told
                for part in (
                    rows_of(catalog, ids)[places],
                    rows_of(catalog, context.basket),
                    rows_of(catalog, context.item_ids),
                )
            ),
        ]
    )
    return Recent(
        offsets=_frozen(np.concatenate(([0], ends))),
        rows=_frozen(rows),
        bundle_rows=_bundle_rows(rows, bundle),
        steps=_frozen((np.repeat(ends, sizes) - 1 - np.arange(len(rows))).astype(np.int32)),
        visit=_frozen(np.concatenate([np.empty(0, np.bool_), *(part.visit for part in parts)])),
    )


class _Past(NamedTuple):
    """What one query starts from: items, their rows, weights that sum to 1, and whether bought."""

    ids: list[str]
    rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]
    purchased: npt.NDArray[np.bool_]


def _shopper_history(query: ShopperQuery, now: float, catalog: Catalog) -> _Past:
    items = query.profile.items
    # The logarithm keeps one much-bought item from speaking for the whole shopper.
    weights = _share(np.log1p(query.profile.interest(now)))
    short = _share(query.profile.interest(now, short=True))
    if short.any():
        weights = (1 - SHORT_SHARE) * weights + SHORT_SHARE * short
    kept = np.flatnonzero(weights > 0)
    if len(kept) > MAX_HISTORY:
        kept = np.sort(kept[np.argpartition(-weights[kept], MAX_HISTORY)[:MAX_HISTORY]])
    ids = [items.item_ids[i] for i in kept.tolist()]
    rows = rows_of(catalog, items.item_ids)[kept]
    weights = weights[kept]
    purchased = items.purchases[kept] > 0

    seeds = query.context.seeds
    if seeds:
        ids += seeds
        rows = np.concatenate([rows, catalog.rows(seeds)])
        weights = np.concatenate(
            [(1 - CONTEXT_SHARE) * weights, np.full(len(seeds), CONTEXT_SHARE / len(seeds))]
        )
        purchased = np.concatenate([purchased, np.zeros(len(seeds), np.bool_)])
    return _Past(ids, rows, _share(weights), purchased)


def _share(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = float(weights.sum())
    return weights / total if total > 0 else np.zeros_like(weights)


def _signal(values: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.float32]:
    """A signal of retrieval; NaN where it was not told."""
    return _frozen(values if len(values) == n else np.full(n, np.nan, np.float32))


def _bundle_rows(rows: npt.NDArray[np.int32], bundle: AttachedBundle | None) -> npt.NDArray[np.int32]:
    if bundle is None:
        return _frozen(np.full(len(rows), -1, np.int32))
    # An item may have joined the catalogue since the bundle last looked.
    table = bundle.bundle_rows
    return _gather(table, np.where(rows < len(table), rows, np.int32(-1)), -1)


def _gather(column: npt.NDArray[T], rows: npt.NDArray[np.int32], missing: int) -> npt.NDArray[T]:
    """The column at the rows, ``missing`` where the row is −1."""
    if len(column) == 0:
        return _frozen(np.full(len(rows), missing, column.dtype))
    # `take` is several times quicker than brackets where rows are int32.
    taken = column.take(rows)
    if len(rows) and rows.min() < 0:
        taken[rows < 0] = missing
    return _frozen(taken)


def _frozen(array: npt.NDArray[T]) -> npt.NDArray[T]:
    view = array.view()
    view.flags.writeable = False
    return view
