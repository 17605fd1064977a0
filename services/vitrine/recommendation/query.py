"""What a window is asked for, and what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vitrine.domain.answer import Degradation, Reason, Versions
from vitrine.domain.request import NO_CONTEXT, NO_FILTERS, Context, Filters
from vitrine.domain.subject import Subject
from vitrine.domain.trace import Trace


@dataclass(frozen=True, slots=True)
class WindowQuery:
    """Asks for a window; fields as in ``RecommendRequest``.

    Attributes:
        subject: For whom; ``None`` for somebody unknown.
        scene: Which window.
        limit: How many items.
        context: What the shopper is looking at.
        filters: Which items may come.
        min_watermark: How fresh the profile must be.
        include_scores: Whether to answer scores by ranker and source.
        request_id: Ties the answer to events that it causes.
        include_trace: Whether to answer how the order came about.
    """

    subject: Subject | None
    scene: str
    limit: int = 20
    context: Context = NO_CONTEXT
    filters: Filters = NO_FILTERS
    min_watermark: int = 0
    include_scores: bool = False
    request_id: str = ""
    include_trace: bool = False


class WindowItem(NamedTuple):
    """One item of a window: score, why it is there, which sources found it, scores by component when asked for."""

    item_id: str
    score: float
    reason: Reason
    sources: Sequence[str]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Window:
    """The items for a shop window, best first, and what an answer carries beside them; the trace when asked for."""

    items: Sequence[WindowItem]
    request_id: str
    request_time: float
    versions: Versions
    degraded: tuple[Degradation, ...]
    profile_watermark: int
    trace: Trace | None = None
