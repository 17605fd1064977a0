"""Business rules: what a window must not show, whatever the scores say."""

import numpy as np
import numpy.typing as npt

from vitrine.config import RulesConfig
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.request import Context


def forbidden_items(profile: Profile, context: Context, rules: RulesConfig, now: float) -> set[str]:
    """The items that must not be shown to this shopper now: hidden, bought, in the basket, or the seeds."""
    items = profile.items
    out = items.opinion < 0
    if rules.exclude_purchased:
        out = out | ((items.purchases > 0) & (now - items.last_purchase <= rules.purchased_within_days * DAY))
    if rules.exclude_in_cart:
        out = out | ((items.in_cart > 0) & (now - items.last_time <= rules.in_cart_within_days * DAY))
    forbidden = {items.item_ids[i] for i in np.flatnonzero(out).tolist()}
    if rules.exclude_in_cart:
        forbidden.update(context.basket)
    if rules.exclude_seeds:
        forbidden.update(context.item_ids)
    return forbidden


def within_caps(codes: npt.NDArray[np.int32], cap: int) -> npt.NDArray[np.bool_]:
    """Which of a list's items stay when each code (brand, category) may come at most ``cap`` times.

    Args:
        codes: ``int32[n]`` in the order of the list; −1 (no brand) is never capped.
        cap: Largest number of items of a code.
    """
    by_code = np.argsort(codes, kind="stable")
    ordered = codes[by_code]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(codes) else by_code
    occurrence = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))
    keep = np.empty(len(codes), np.bool_)
    keep[by_code] = occurrence < cap
    return keep | (codes < 0)
