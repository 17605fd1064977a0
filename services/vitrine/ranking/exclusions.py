"""What keeps one item out of a window, rule by rule."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.domain.explanation import Exclusion
from vitrine.domain.items import Item, category_levels
from vitrine.domain.request import Filters
from vitrine.ranking.caps import Cap
from vitrine.ranking.rules import RULES, Shown


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


def by_rules(item_id: str, shown: Shown) -> list[Exclusion]:
    """The business rules that forbid an item."""
    return [
        Exclusion(rule.name, rule.text)
        for rule in RULES
        if item_id in rule.forbids(shown).items(shown.profile)
    ]


def by_caps(place: int, ranked: npt.NDArray[np.int64], caps: Sequence[Cap]) -> list[Exclusion]:
    """The caps that an item which the rules allow fell to.

    Args:
        place: Its position.
        ranked: ``int64[r]``, positions that stayed.
        caps: The caps; codes by position.
    """
    return [
        Exclusion(cap.name, f"{cap.most} better ones of the same are in the list")
        for cap in caps
        if cap.most
        and cap.codes[place] >= 0
        and np.count_nonzero(cap.codes[ranked] == cap.codes[place]) >= cap.most
    ]
