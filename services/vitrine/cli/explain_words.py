"""An explanation as one sentence."""

import math
from collections.abc import Sequence

from vitrine.api.common.v1 import common_pb2
from vitrine.domain.explanation import NEWCOMER

_SAID = {
    "history.purchases": "bought it {}",
    "history.views": "looked at it {}",
    "history.in_cart": "has it in the basket",
    "history.liked": "liked it",
}
# What pulls by less than a tenth of what the other side pulls is not worth a word.
_WORTH_A_WORD = 0.1

Groups = Sequence[common_pb2.GroupShare]
Columns = Sequence[common_pb2.ColumnShare]


def sentence(told: common_pb2.Explanation, who: str) -> str:
    """Where the item stands, and what counted most; percentages are of all that pulls the same way."""
    if told.decided_by == NEWCOMER and not told.exclusions:
        # No score brought it there.
        return f"{_place(told)}, in a place kept for what is new and nobody has turned to yet."
    raised = [group for group in told.groups if group.share > 0]
    lowered = [group for group in told.groups if group.share < 0]
    up, down = (math.fsum(abs(group.share) for group in side) for side in (raised, lowered))
    if not raised and not lowered:
        return f"{_place(told)}."
    if up >= down:
        said = f"mostly because {_because(raised[0], told.columns, who, up)}{_then(raised, up)}"
        other, weight = "; against it speaks {}", up
        against = lowered
    else:
        said = f"held back mostly by {_by(lowered[0], told.columns, down)}{_then(lowered, down)}"
        other, weight = "; for it speaks {}", down
        against = raised
    if against and abs(against[0].share) > _WORTH_A_WORD * weight:
        said += other.format(against[0].text)
    return f"{_place(told)}: {said}."


def _place(told: common_pb2.Explanation) -> str:
    if told.exclusions:
        return "Not in the list, because " + " and ".join(f"{e.text} ({e.rule})" for e in told.exclusions)
    if not told.rank:
        return "Not in the list"
    if told.added:
        found = "It did not come among the candidates" if told.sources else "No source found it"
        return f"{found}; as one more candidate it is rank {told.rank:,} of {told.list_size:,}"
    return f"Rank {told.rank:,} of {told.list_size:,}"


def _then(side: Groups, total: float) -> str:
    return "".join(f", then {group.text} ({abs(group.share) / total:.0%})" for group in side[1:2])


def _because(group: common_pb2.GroupShare, columns: Columns, who: str, total: float) -> str:
    if group.name == "history":
        # Only what itself raised the score is why.
        values = {column.name: column for column in columns if column.value > 0 and column.share > 0}
        for name, said in _SAID.items():
            if name in values:
                return f"{who} {said.format(values[name].reading)} ({group.share / total:.0%})"
    return f"of {_by(group, columns, total)}"


def _by(group: common_pb2.GroupShare, columns: Columns, total: float) -> str:
    """The group, and of its columns the one that pulled most."""
    sign = 1 if group.share > 0 else -1
    own = [column for column in columns if column.group == group.name]
    leading = max(own, key=lambda column: sign * column.share)
    return f"{group.text} ({abs(group.share) / total:.0%}; {leading.text}: {leading.reading})"
