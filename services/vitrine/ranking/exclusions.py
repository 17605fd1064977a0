"""What keeps one item out of a window, rule by rule."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.config import RulesConfig
from vitrine.domain.explanation import Exclusion
from vitrine.domain.items import Item, category_levels
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.request import Context, Filters


def by_filters(item: Item, filters: Filters) -> list[Exclusion]:
    """The filters that an item does not pass (`vitrine.catalog.columns.passes`)."""
    low, high, price = filters.min_price_micros, filters.max_price_micros, item.price_micros
    levels = set(category_levels(item.category_path))
    fails = {
        "category_paths": bool(filters.categories) and not levels & set(filters.categories),
        "brands": bool(filters.brands) and item.brand not in filters.brands,
        "min_price": low > 0 and price < low,
        "max_price": high > 0 and not 0 < price <= high,
        "exclude_item_ids": item.item_id in filters.exclude,
        "created_after": filters.created_after > 0 and item.created < filters.created_after,
    }
    return [
        Exclusion(f"filters.{name}", "it does not pass this filter of the request")
        for name, failed in fails.items()
        if failed
    ]


def by_rules(
    item_id: str, profile: Profile, context: Context, rules: RulesConfig, now: float
) -> list[Exclusion]:
    """The business rules that forbid an item (`vitrine.ranking.rules.forbidden_items`)."""
    items = profile.items
    mine = np.array([known == item_id for known in items.item_ids], np.bool_)
    hidden = (items.opinion[mine] < 0).any()
    bought_lately = now - items.last_purchase[mine] <= rules.purchased_within_days * DAY
    bought = ((items.purchases[mine] > 0) & bought_lately).any()
    touched_lately = now - items.last_time[mine] <= rules.in_cart_within_days * DAY
    in_cart = ((items.in_cart[mine] > 0) & touched_lately).any() or item_id in context.basket
    fails = (
        ("hidden", hidden, "the shopper hid it"),
        ("rules.exclude_purchased", rules.exclude_purchased and bought, "the shopper bought it"),
        ("rules.exclude_in_cart", rules.exclude_in_cart and in_cart, "it lies in the basket"),
        (
            "rules.exclude_seeds",
            rules.exclude_seeds and item_id in context.item_ids,
            "the window is about it",
        ),
    )
    return [Exclusion(rule, text) for rule, failed, text in fails if failed]


def by_caps(
    place: int,
    ranked: npt.NDArray[np.int64],
    caps: Sequence[tuple[str, npt.NDArray[np.int32], int]],
) -> list[Exclusion]:
    """The caps that an item which the rules allow fell to.

    Args:
        place: Its position.
        ranked: ``int64[r]``, positions that stayed.
        caps: Rule, ``int32[n]`` codes by position, largest number of items of a code (0 for any).
    """
    return [
        Exclusion(rule, f"{cap} better ones of the same are in the list")
        for rule, codes, cap in caps
        if cap and codes[place] >= 0 and np.count_nonzero(codes[ranked] == codes[place]) >= cap
    ]
