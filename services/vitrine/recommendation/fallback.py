"""What a window is made of while a part is gone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vitrine.config import SceneConfig
from vitrine.domain.answer import ReasonCode, Versions
from vitrine.domain.candidates import Candidates, Ranked, RankedList, Retrieved
from vitrine.domain.request import Filters
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.reasons import SOURCE_REASONS, make_reason
from vitrine.ranking.rules import Shown, forbidden_items

# Sources whose finds do not depend on the shopper.
FOR_EVERYBODY = frozenset({"popular", "trending"})

# Tells whether an item may be sold, as far as this process knows.
Sellable = Callable[[str], bool]


class LastCandidates:
    """The latest candidates, for when retrieval does not answer.

    They were somebody else's, so only what the popular and the trending source found is shown: that is for everybody,
    in every scene.
    """

    def __init__(self) -> None:
        self._last: Retrieved | None = None

    def put(self, retrieved: Retrieved) -> None:
        """Remembers candidates that were not filtered, if some of them were for everybody."""
        if FOR_EVERYBODY.intersection(retrieved.candidates.source_names) and len(retrieved.candidates):
            # Interests are the shopper's.
            self._last = replace(retrieved, interests=None)

    def get(self, filters: Filters) -> Retrieved | None:
        """What was last for everybody; ``None`` when that is nothing or cannot be filtered."""
        last = self._last
        if last is None or filters:
            return None
        candidates = last.candidates
        shared = np.array([name in FOR_EVERYBODY for name in candidates.source_names])
        bits = np.uint32(sum(1 << j for j in np.flatnonzero(shared).tolist()))
        kept = np.flatnonzero(candidates.masks & bits)
        return replace(
            last,
            candidates=Candidates(
                [candidates.item_ids[i] for i in kept.tolist()],
                candidates.source_names,
                candidates.masks[kept] & bits,
                np.where(shared, candidates.scores[kept], np.float32(np.nan)),
                candidates.popularity[kept] if len(candidates.popularity) else candidates.popularity,
                candidates.trend[kept] if len(candidates.trend) else candidates.trend,
            ),
            degraded=(),
        )


def rank_as_found(
    query: ShopperQuery, scene: SceneConfig, retrieved: Retrieved, now: float, sellable: Sellable
) -> Ranked:
    """The order in which retrieval found the items, less what must not be shown; scores fall from 1."""
    candidates = retrieved.candidates
    forbidden = forbidden_items(Shown(query.profile, query.context, scene.rules, now))
    allowed = [i for i, item_id in enumerate(candidates.item_ids) if item_id not in forbidden]
    kept = [i for i in allowed if sellable(candidates.item_ids[i])][: query.limit]
    positions = np.array(kept, np.int64)
    codes = [_first_source(candidates.source_names, int(mask)) for mask in candidates.masks[positions]]
    ranked = RankedList(
        positions=positions,
        scores=(1 / np.arange(1, len(kept) + 1)).astype(np.float32),
        component_scores=candidates.scores[positions],
        reasons=[make_reason(code, locale=query.context.locale, query=query.context.query) for code in codes],
    )
    return Ranked([ranked], tuple(f"source:{s}" for s in candidates.source_names), Versions())


def _first_source(names: tuple[str, ...], mask: int) -> ReasonCode | None:
    return next((SOURCE_REASONS.get(name) for j, name in enumerate(names) if mask >> j & 1), None)
