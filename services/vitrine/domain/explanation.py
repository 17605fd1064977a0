"""Why an item has its score and its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vitrine.domain.answer import Degradation, Reason, Versions

WEIGHTS = "weights"
# The rule that gives newcomers their places (`vitrine.ranking.newcomers`).
NEWCOMER = "rules.newcomer_every"
NO_REASON = Reason(None)


class Exclusion(NamedTuple):
    """What keeps an item out of a window: a rule, and a sentence."""

    rule: str
    text: str


class GroupShare(NamedTuple):
    """What a group of columns added to a score."""

    name: str
    text: str
    share: float


class ColumnShare(NamedTuple):
    """What one column added to a score: name, words, group, what the model saw, the same in words, share."""

    name: str
    text: str
    group: str
    value: float
    reading: str
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Fields as in the protocol's ``Explanation``; the shares of ``groups`` and of ``columns`` come largest first.

    Attributes:
        item_id: The item.
        rank: Its place, the first is 1; 0 when it is left out.
        list_size: Items in the list.
        candidates: Candidates before rules.
        sources: The sources that found it.
        added: It was ranked as one more candidate, which a window does not have.
        exclusions: What keeps it out.
        score: The final score.
        decided_by: A reranker by name, or `WEIGHTS`; `NEWCOMER` where that rule gave the item its place.
        model_score: ``base`` and all shares.
        base: The score of a candidate of whom nothing is known.
        groups: Shares by group.
        columns: Shares by column.
        scores: What rankers and sources said.
        reason: What a shopper reads.
    """

    item_id: str
    rank: int
    list_size: int
    candidates: int
    sources: tuple[str, ...] = ()
    added: bool = False
    exclusions: tuple[Exclusion, ...] = ()
    score: float = 0.0
    decided_by: str = WEIGHTS
    model_score: float = 0.0
    base: float = 0.0
    groups: tuple[GroupShare, ...] = ()
    columns: tuple[ColumnShare, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    reason: Reason = NO_REASON


@dataclass(frozen=True, slots=True)
class Explained:
    """What ranking answers when it is asked why."""

    explanation: Explanation
    versions: Versions
    degraded: tuple[Degradation, ...] = ()
