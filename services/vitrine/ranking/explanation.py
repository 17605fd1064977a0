"""Explains one candidate of a list: its place, what keeps it out, and what its score is made of."""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np

from vitrine.catalog import Catalog
from vitrine.config import SceneConfig
from vitrine.domain.answer import Degradation, Reason
from vitrine.domain.candidates import Candidates
from vitrine.domain.explanation import NEWCOMER, WEIGHTS, ColumnShare, Exclusion, Explanation, GroupShare
from vitrine.domain.request import Filters
from vitrine.plugin import Attribution, Batch
from vitrine.ranking.caps import caps_of
from vitrine.ranking.exclusions import by_caps, by_filters, by_rules
from vitrine.ranking.ordering import Ordering
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.rules import Shown
from vitrine.ranking.scoring import Scored
from vitrine.ranking.wording import column_text, group_text, reading

log = logging.getLogger(__name__)


def explanation(
    place: int,
    query: ShopperQuery,
    scene: SceneConfig,
    scored: Scored,
    made: Ordering,
    catalog: Catalog,
    candidates: Candidates,
    filters: Filters,
    reason: Reason,
    degraded: list[Degradation],
    texts: Mapping[str, str],
) -> Explanation:
    """The explanation of the candidate at a position of the only query of a batch.

    Args:
        place: Its position.
        query: The query.
        scene: Its scene.
        scored: The batch, and what was said of it.
        made: How the list came about.
        catalog: The catalogue.
        candidates: The candidates.
        filters: What retrieval was given.
        reason: What a shopper reads.
        degraded: Takes what could not be told.
        texts: Words of columns that plugins contributed, by name, as the bundle has them.
    """
    batch = scored.batch
    window = made.positions.tolist()
    shown = set(window)
    # The window, then what follows it by score.
    ordered = [*window, *(p for p in made.ranked.tolist() if p not in shown)]
    item_id = candidates.item_ids[place]
    excluded = _exclusions(place, item_id, query, scene, batch, made, catalog, filters)
    # Retrieval brings the item that is asked about whether or not it passes the filters.
    filtered = bool(excluded) and place in ordered
    left_out = filtered or place not in ordered
    if left_out and not excluded:
        log.error("item '%s' is left out by a rule that cannot be told", item_id)
    told = _attribution(place, scene, scored, made, degraded)
    columns = _columns(told, texts)
    return Explanation(
        item_id=item_id,
        rank=0 if left_out else ordered.index(place) + 1,
        list_size=len(ordered) - filtered,
        candidates=len(candidates),
        sources=_sources(candidates, place),
        exclusions=tuple(excluded),
        score=float(made.final[window.index(place)] if place in window else made.total[place]),
        decided_by=_decided_by(place, made),
        model_score=told.base + math.fsum(c.share for c in columns),
        base=told.base,
        groups=_groups(columns),
        columns=columns,
        scores={
            n: v for n, v in zip(made.names, made.columns[place].tolist(), strict=True) if not math.isnan(v)
        },
        reason=reason,
    )


def _decided_by(place: int, made: Ordering) -> str:
    if made.put_in(place):
        return NEWCOMER
    return made.decided.name if made.decided is not None else WEIGHTS


def _exclusions(
    place: int,
    item_id: str,
    query: ShopperQuery,
    scene: SceneConfig,
    batch: Batch,
    made: Ordering,
    catalog: Catalog,
    filters: Filters,
) -> list[Exclusion]:
    item = catalog.get(item_id)
    if item is None:
        return [Exclusion("availability", "ranking's copy of the catalogue does not have it yet")]
    found = []
    if not catalog.sellable[batch.items.rows[made.start + place]]:
        found.append(Exclusion("availability", "it is out of stock or discontinued"))
    found += by_rules(item_id, Shown(query.profile, query.context, scene.rules, batch.request_time))
    if not found and place not in made.ranked:
        end = made.start + len(made.total)
        found += by_caps(place, made.ranked, caps_of(batch.items, made.start, end, scene.rules))
    return found + by_filters(item, filters)


def _attribution(
    place: int, scene: SceneConfig, scored: Scored, made: Ordering, degraded: list[Degradation]
) -> Attribution:
    """What the score is made of: exactly where a reranker decided, else by the weights."""
    if made.decided is None:
        weighed = np.flatnonzero([scene.weights.get(name, 0.0) != 0 for name in made.names])
        names = tuple(made.names[i] for i in weighed.tolist())
        return Attribution(
            names, made.columns[[place]][:, weighed], made.shares(np.array([place]))[:, weighed], 0.0
        )
    calls = scored.calls
    before = len(calls.degraded)
    told = calls.attribute(made.decided, scored.batch, np.array([made.start + place], np.int64))
    degraded += list(calls.degraded)[before:]
    if told is not None:
        return told
    nothing = np.empty((1, 0), np.float32)
    score = made.columns[place, made.names.index(made.decided.name)]
    return Attribution((), nothing, nothing, float(np.nan_to_num(score)))


def _columns(told: Attribution, texts: Mapping[str, str]) -> tuple[ColumnShare, ...]:
    columns = [
        ColumnShare(name, text, group, value, reading(name, value), share)
        for name, (group, text), value, share in zip(
            told.columns,
            (column_text(name, texts) for name in told.columns),
            told.values[0].tolist(),
            told.shares[0].tolist(),
            strict=True,
        )
    ]
    return tuple(sorted(columns, key=lambda column: -abs(column.share)))


def _groups(columns: Sequence[ColumnShare]) -> tuple[GroupShare, ...]:
    shares: dict[str, float] = {}
    for column in columns:
        shares[column.group] = shares.get(column.group, 0.0) + column.share
    groups = [GroupShare(name, group_text(name), share) for name, share in shares.items()]
    return tuple(sorted(groups, key=lambda group: -abs(group.share)))


def _sources(candidates: Candidates, place: int) -> tuple[str, ...]:
    mask = int(candidates.masks[place])
    return tuple(name for j, name in enumerate(candidates.source_names) if mask >> j & 1)
