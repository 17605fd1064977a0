"""Business rules: what a window must not show, whatever the scores say. A new rule is a class here, and a line in `RULES`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vitrine.config import RulesConfig
from vitrine.domain.profile import DAY, ItemHistory, Profile
from vitrine.domain.request import Context
from vitrine.plugin import Items


@dataclass(frozen=True, slots=True)
class Shown:
    """A window that is being filled: for whom, in view of what, by which settings, at which moment (Unix seconds)."""

    profile: Profile
    context: Context
    settings: RulesConfig
    now: float


class Rule(Protocol):
    """Forbids items to one shopper at one moment. Any thread may call it; it keeps nothing between calls.

    Attributes:
        name: What explanations call it.
        text: Why an item is left out, in words.
    """

    name: str
    text: str

    def forbids(self, shown: Shown) -> Sequence[str]:
        """The items, whether or not they are candidates; none where the settings have it off."""
        ...


class Hidden:
    """What the shopper hid is never shown again."""

    name, text = "hidden", "the shopper hid it"

    def forbids(self, shown: Shown) -> Sequence[str]:
        """As `Rule`."""
        items = shown.profile.items
        return _where(items, items.opinion < 0)


class Purchased:
    """What the shopper bought lately."""

    name, text = "rules.exclude_purchased", "the shopper bought it"

    def forbids(self, shown: Shown) -> Sequence[str]:
        """As `Rule`."""
        items, settings = shown.profile.items, shown.settings
        if not settings.exclude_purchased:
            return ()
        lately = shown.now - items.last_purchase <= settings.purchased_within_days * DAY
        return _where(items, (items.purchases > 0) & lately)


class Seen:
    """What the shopper has had to do with at all."""

    name, text = "rules.exclude_seen", "the shopper knows it"

    def forbids(self, shown: Shown) -> Sequence[str]:
        """As `Rule`."""
        return shown.profile.items.item_ids if shown.settings.exclude_seen else ()


class InCart:
    """What lies in the basket, as the caller says or as events tell."""

    name, text = "rules.exclude_in_cart", "it lies in the basket"

    def forbids(self, shown: Shown) -> Sequence[str]:
        """As `Rule`."""
        items, settings = shown.profile.items, shown.settings
        if not settings.exclude_in_cart:
            return ()
        lately = shown.now - items.last_time <= settings.in_cart_within_days * DAY
        return [*_where(items, (items.in_cart > 0) & lately), *shown.context.basket]


class Seeds:
    """The items that the window is about."""

    name, text = "rules.exclude_seeds", "the window is about it"

    def forbids(self, shown: Shown) -> Sequence[str]:
        """As `Rule`."""
        return shown.context.item_ids if shown.settings.exclude_seeds else ()


RULES: tuple[Rule, ...] = (Hidden(), Purchased(), Seen(), InCart(), Seeds())


def forbidden_items(shown: Shown) -> set[str]:
    """The items that some rule forbids."""
    return {item_id for rule in RULES for item_id in rule.forbids(shown)}


class Cap(NamedTuple):
    """At most so many items of a code (a brand, a category) in a list; 0 for any number.

    Attributes:
        name: What explanations call it.
        codes: ``int32[n]``, by candidate; −1 (no brand) is never capped.
        most: Largest number of items of a code.
    """

    name: str
    codes: npt.NDArray[np.int32]
    most: int


def caps_of(items: Items, start: int, end: int, settings: RulesConfig) -> tuple[Cap, ...]:
    """The caps on candidates ``start`` to ``end`` of a batch, in the order in which they apply."""
    return (
        Cap("rules.max_per_brand", items.brand[start:end], settings.max_per_brand),
        Cap("rules.max_per_category", items.category[start:end], settings.max_per_category),
    )


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


def _where(items: ItemHistory, mask: npt.NDArray[np.bool_]) -> list[str]:
    return [items.item_ids[i] for i in mask.nonzero()[0].tolist()]
