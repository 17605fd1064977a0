"""What a window is made of while a part is gone."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from vitrine.config import SceneConfig
from vitrine.domain.answer import ReasonCode, Versions
from vitrine.domain.candidates import Ranked, RankedList, Retrieved
from vitrine.domain.request import Filters
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.reasons import SOURCE_REASONS, make_reason
from vitrine.ranking.rules import forbidden_items

MAX_SCENES = 64

# Tells whether an item may be sold, as far as this process knows.
Sellable = Callable[[str], bool]


class LastCandidates:
    """The latest candidates of each scene, for when retrieval does not answer.

    They were somebody else's, so only what its popular and trending sources found is kept: that is for everybody.
    """

    def __init__(self) -> None:
        self._by_scene: OrderedDict[str, Retrieved] = OrderedDict()

    def put(self, scene: str, retrieved: Retrieved) -> None:
        """Remembers them; costs a dictionary write."""
        self._by_scene[scene] = retrieved
        if len(self._by_scene) > MAX_SCENES:
            self._by_scene.popitem(last=False)

    def get(self, scene: str, filters: Filters) -> Retrieved | None:
        """What the scene last showed to everybody; ``None`` when that is nothing or cannot be filtered."""
        last = self._by_scene.get(scene)
        if last is None or filters:
            return None
        shared = [j for j, name in enumerate(last.candidates.source_names) if name in {"popular", "trending"}]
        bits = np.uint32(sum(1 << j for j in shared))
        kept = np.flatnonzero(last.candidates.masks & bits)
        candidates = last.candidates
        return Retrieved(
            type(candidates)(
                [candidates.item_ids[i] for i in kept.tolist()],
                candidates.source_names,
                candidates.masks[kept] & bits,
                np.where(
                    np.isin(np.arange(candidates.scores.shape[1]), shared), candidates.scores[kept], np.nan
                ),
            ),
            last.catalog_revision,
            last.versions,
        )


def rank_as_found(
    query: ShopperQuery, scene: SceneConfig, retrieved: Retrieved, now: float, sellable: Sellable
) -> Ranked:
    """The order in which retrieval found the items, less what must not be shown; scores fall from 1."""
    candidates = retrieved.candidates
    forbidden = forbidden_items(query.profile, query.context, scene.rules, now)
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
