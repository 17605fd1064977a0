"""The latest events of a shopper as models read them: what came after what, and which belong to the visit that goes on."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.domain.events import INTEREST_BY_TYPE
from vitrine.domain.profile import Profile
from vitrine.domain.request import Context

# What came before says nothing more about what comes next.
MAX_RECENT = 64
# By the number of the type.
_COUNTS = INTEREST_BY_TYPE > 0


class Latest(NamedTuple):
    """r events, oldest first, those of the context last.

    Attributes:
        item_ids: r items.
        visit: ``bool[r]``, whether each belongs to the current visit.
        places: ``int64[p]``, the places in the profile's recent events of those that are not of the context.
    """

    item_ids: list[str]
    visit: npt.NDArray[np.bool_]
    places: npt.NDArray[np.int64]


def latest(profile: Profile, context: Context, now: float, gap: float) -> Latest:
    """The latest events that show interest; items of the context, basket before page, count as the very latest.

    Hidden items are left out.

    Args:
        profile: What is known of the shopper.
        context: What the shopper is looking at.
        now: The moment of asking, Unix seconds.
        gap: A pause of more than so many seconds ends a visit; infinite: all is one.
    """
    recent, items = profile.recent, profile.items
    counts = _COUNTS[recent.types].nonzero()[0]
    hidden = {items.item_ids[i] for i in (items.opinion < 0).nonzero()[0].tolist()}
    if hidden:
        counts = counts[[recent.item_ids[i] not in hidden for i in counts.tolist()]]
    counts = counts[-MAX_RECENT:]
    times = recent.times[counts]
    pauses = (np.concatenate((times[1:], (now,)))[: len(times)] - times > gap).nonzero()[0]
    visit = np.ones(len(counts), np.bool_)
    if len(pauses):
        visit[: pauses[-1] + 1] = False
    ids = [recent.item_ids[i] for i in counts.tolist()]
    seeds = (*context.basket, *context.item_ids)
    if seeds:
        visit = np.concatenate((visit, np.ones(len(seeds), np.bool_)))
    return Latest([*ids, *seeds], visit, counts)
