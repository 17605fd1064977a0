"""Why an item has its place in a window, or none: the same stages as for the window, asked about one item."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vitrine.config import SceneConfig
from vitrine.domain.answer import Degradation, Versions
from vitrine.domain.candidates import Candidates, Ranked, Retrieved
from vitrine.domain.explanation import Explained, Explanation
from vitrine.errors import NotFound


@dataclass(frozen=True, slots=True)
class WindowExplained:
    """What is answered, and what an answer carries beside it."""

    explanation: Explanation
    request_time: float
    versions: Versions
    degraded: tuple[Degradation, ...]
    profile_watermark: int


def unknown(item_id: str) -> NotFound:
    """The error for an item that the catalogue does not have."""
    return NotFound("item_id", f"the catalogue has no item '{item_id}'; add it with UpsertItems")


def with_item(retrieved: Retrieved, item_id: str) -> Retrieved:
    """The candidates, and the item as the last one if it is not among them: what stands in for retrieval lacks it."""
    found = retrieved.candidates
    if item_id in found.item_ids:
        return retrieved
    nothing = np.full((1, len(found.source_names)), np.nan, np.float32)

    def one_more(signal: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.append(signal, np.float32(np.nan)) if len(signal) else signal

    more = Candidates(
        [*found.item_ids, item_id],
        found.source_names,
        np.append(found.masks, np.uint32(0)),
        np.concatenate([found.scores, nothing]),
        one_more(found.popularity),
        one_more(found.trend),
    )
    return replace(retrieved, candidates=more)


def without_ranking(item_id: str, candidates: Candidates, ranked: Ranked) -> Explained:
    """What can be said while ranking is gone: where the item was found, and its place in what is shown meanwhile."""
    ids = [candidates.item_ids[i] for i in ranked.lists[0].positions.tolist()]
    place = ids.index(item_id) if item_id in ids else -1
    told = Explanation(
        item_id=item_id,
        rank=place + 1,
        list_size=len(ids),
        candidates=len(candidates),
        score=float(ranked.lists[0].scores[place]) if place >= 0 else 0.0,
        decided_by="retrieval",
        sources=_sources(candidates, item_id),
    )
    if place >= 0:
        told = replace(told, reason=ranked.lists[0].reasons[place])
    return Explained(told, ranked.versions)


def was_added(candidates: Candidates, item_id: str, scene: SceneConfig) -> bool:
    """Whether a window would not have had the item among its candidates."""
    place = candidates.item_ids.index(item_id)
    return not candidates.masks[place] or place >= scene.candidates


def _sources(candidates: Candidates, item_id: str) -> tuple[str, ...]:
    mask = int(candidates.masks[candidates.item_ids.index(item_id)])
    return tuple(name for j, name in enumerate(candidates.source_names) if mask >> j & 1)
