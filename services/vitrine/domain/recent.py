"""The latest events of a shopper as models read them: what came after what, and which belong to the visit that goes on."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.domain.events import INTEREST_BY_TYPE
from vitrine.domain.profile import Profile
from vitrine.domain.request import Context

# What came before says nothing more about what comes next.
MAX_RECENT = 64


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
    counts = np.flatnonzero(INTEREST_BY_TYPE[recent.types] > 0)
    hidden = {items.item_ids[i] for i in np.flatnonzero(items.opinion < 0).tolist()}
    if hidden:
        counts = counts[[recent.item_ids[i] not in hidden for i in counts.tolist()]]
    counts = counts[-MAX_RECENT:]
    times = recent.times[counts]
    pauses = np.flatnonzero(np.diff(times, append=now) > gap)
    visit = np.arange(len(counts)) > (pauses[-1] if len(pauses) else -1)
    seeds = (*context.basket, *context.item_ids)
    ids = [recent.item_ids[i] for i in counts.tolist()]
    return Latest([*ids, *seeds], np.concatenate((visit, np.ones(len(seeds), np.bool_))), counts)
