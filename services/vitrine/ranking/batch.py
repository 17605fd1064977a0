"""Makes the columns that rankers read out of queries, the catalogue and the bundle. Once per batch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.candidates import RowIds
from vitrine.domain.known_rows import rows_of
from vitrine.domain.parts import joined, offsets_of
from vitrine.domain.recent import latest
from vitrine.features import Features, NoFeatures
from vitrine.interest import Interests
from vitrine.interest.inputs import CONTEXT_SHARE, SHORT_SHARE
from vitrine.plugin import Batch, History, Items, Recent, Scores
from vitrine.ranking.query import RankingQuery, ShopperQuery

T = TypeVar("T", bound=np.generic)

# Beyond this many items the rest of a history adds cost and no order.
MAX_HISTORY = 200


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
    return replace(bare, features=Features(bare, catalog, bundle, _interests(query, bundle)))


def _interests(query: RankingQuery, bundle: AttachedBundle | None) -> Interests | None:
    """What retrieval has read of all shoppers by the same model; ``None`` where it has to be read here."""
    told = [q.interests for q in query.queries if q.interests is not None]
    if bundle is None or bundle.version != query.bundle or len(told) != len(query.queries):
        return None
    model = bundle.bundle.interest
    if model is None or any(vectors.shape != (3, model.dimensions) for vectors in told):
        return None
    return Interests(
        *(_frozen(told[0][k : k + 1] if len(told) == 1 else np.array([v[k] for v in told])) for k in range(3))
    )


def _items(query: RankingQuery, catalog: Catalog, bundle: AttachedBundle | None) -> Items:
    ids = query.candidates.item_ids
    told = query.candidates.rows
    rows = told if len(told) == len(ids) else catalog.rows(ids)
    # Nearly always all are known.
    unknown = rows < 0 if len(rows) and rows.min() < 0 else None
    return Items(
        ids=ids if isinstance(ids, RowIds) else tuple(ids),
        rows=_frozen(rows),
        bundle_rows=_bundle_rows(rows, bundle),
        price_micros=_gather(catalog.price_micros, rows, 0, unknown),
        created=_gather(catalog.created, rows, 0, unknown),
        category=_gather(catalog.category, rows, -1, unknown),
        brand=_gather(catalog.brand, rows, -1, unknown),
        popularity=_signal(query.candidates.popularity, len(ids)),
        trend=_signal(query.candidates.trend, len(ids)),
    )


def _history(query: RankingQuery, catalog: Catalog, bundle: AttachedBundle | None) -> History:
    parts = [_shopper_history(q, query.request_time, catalog) for q in query.queries]
    rows = joined([part.rows for part in parts], np.int32)
    return History(
        offsets=_frozen(offsets_of([len(part.ids) for part in parts])),
        ids=parts[0].ids if len(parts) == 1 else tuple(chain.from_iterable(part.ids for part in parts)),
        rows=_frozen(rows),
        bundle_rows=_bundle_rows(rows, bundle),
        weights=_frozen(joined([part.weights for part in parts], np.float64)),
        purchased=_frozen(joined([part.purchased for part in parts], np.bool_)),
    )


def _recent(query: RankingQuery, catalog: Catalog, bundle: AttachedBundle | None, visit_gap: float) -> Recent:
    parts = [latest(q.profile, q.context, query.request_time, visit_gap) for q in query.queries]
    sizes = [len(part.item_ids) for part in parts]
    offsets = _frozen(offsets_of(sizes))
    told = []
    for q, part in zip(query.queries, parts, strict=True):
        told.append(rows_of(catalog, q.profile.recent.item_ids)[part.places])
        told += [rows_of(catalog, seeds) for seeds in (q.context.basket, q.context.item_ids) if seeds]
    rows = joined(told, np.int32)
    ends = offsets[1:] if len(sizes) == 1 else np.repeat(offsets[1:], sizes)
    return Recent(
        offsets=offsets,
        rows=_frozen(rows),
        bundle_rows=_bundle_rows(rows, bundle),
        steps=_frozen((ends - 1 - np.arange(len(rows))).astype(np.int32)),
        visit=_frozen(joined([part.visit for part in parts], np.bool_)),
    )


class _Past(NamedTuple):
    """What one query starts from: items, their rows, weights that sum to 1, and whether bought."""

    ids: Sequence[str]
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
    kept = (weights > 0).nonzero()[0]
    if len(kept) > MAX_HISTORY:
        kept = np.sort(kept[np.argpartition(-weights[kept], MAX_HISTORY)[:MAX_HISTORY]])
    ids: Sequence[str] = RowIds(items.item_ids, kept.astype(np.int32))
    rows = rows_of(catalog, items.item_ids)[kept]
    weights = weights[kept]
    purchased = items.purchases[kept] > 0

    seeds = query.context.seeds
    if seeds:
        ids = (*ids, *seeds)
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
    unknown = (rows < 0) | (rows >= len(table))
    return _gather(table, np.where(unknown, 0, rows), -1, unknown)


def _gather(
    column: npt.NDArray[T], rows: npt.NDArray[np.int32], missing: int, unknown: npt.NDArray[np.bool_] | None
) -> npt.NDArray[T]:
    """The column at the rows, ``missing`` where they are not known."""
    if len(column) == 0:
        return _frozen(np.full(len(rows), missing, column.dtype))
    # `take` is several times quicker than brackets where rows are int32.
    taken = column.take(rows)
    if unknown is not None:
        taken[unknown] = missing
    return _frozen(taken)


def _frozen(array: npt.NDArray[T]) -> npt.NDArray[T]:
    view = array.view()
    view.flags.writeable = False
    return view
