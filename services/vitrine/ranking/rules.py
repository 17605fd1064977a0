"""Business rules: what a window must not show, whatever the scores say. A new rule is a class here, and a line in `RULES`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vitrine.config import RulesConfig
from vitrine.domain.known_rows import Numbered, Rows, rows_of
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.request import Context


@dataclass(frozen=True, slots=True)
class Shown:
    """A window that is being filled: for whom, in view of what, by which settings, at which moment (Unix seconds)."""

    profile: Profile
    context: Context
    settings: RulesConfig
    now: float


class Forbidden(NamedTuple):
    """Items that must not be shown.

    Attributes:
        known: ``bool[n]``, which of those in the profile's history; ``None`` for none of them.
        others: Items from elsewhere.
    """

    known: npt.NDArray[np.bool_] | None = None
    others: Sequence[str] = ()

    def items(self, profile: Profile) -> set[str]:
        """Their identifiers."""
        places = () if self.known is None else self.known.nonzero()[0].tolist()
        return {*(profile.items.item_ids[place] for place in places), *self.others}


NOTHING = Forbidden()


class Rule(Protocol):
    """Forbids items to one shopper at one moment. Any thread may call it; it keeps nothing between calls.

    Attributes:
        name: What explanations call it.
        text: Why an item is left out, in words.
    """

    name: str
    text: str

    def forbids(self, shown: Shown) -> Forbidden:
        """The items, whether or not they are candidates; none where the settings have it off."""
        ...


class Hidden:
    """What the shopper hid is never shown again."""

    name, text = "hidden", "the shopper hid it"

    def forbids(self, shown: Shown) -> Forbidden:
        """As `Rule`."""
        return Forbidden(shown.profile.items.opinion < 0)


class Purchased:
    """What the shopper bought lately."""

    name, text = "rules.exclude_purchased", "the shopper bought it"

    def forbids(self, shown: Shown) -> Forbidden:
        """As `Rule`."""
        items, settings = shown.profile.items, shown.settings
        if not settings.exclude_purchased:
            return NOTHING
        lately = shown.now - items.last_purchase <= settings.purchased_within_days * DAY
        return Forbidden((items.purchases > 0) & lately)


class Seen:
    """What the shopper has had to do with at all."""

    name, text = "rules.exclude_seen", "the shopper knows it"

    def forbids(self, shown: Shown) -> Forbidden:
        """As `Rule`."""
        if not shown.settings.exclude_seen:
            return NOTHING
        return Forbidden(np.ones(len(shown.profile.items.item_ids), np.bool_))


class InCart:
    """What lies in the basket, as the caller says or as events tell."""

    name, text = "rules.exclude_in_cart", "it lies in the basket"

    def forbids(self, shown: Shown) -> Forbidden:
        """As `Rule`."""
        items, settings = shown.profile.items, shown.settings
        if not settings.exclude_in_cart:
            return NOTHING
        lately = shown.now - items.last_time <= settings.in_cart_within_days * DAY
        return Forbidden((items.in_cart > 0) & lately, shown.context.basket)


class Seeds:
    """The items that the window is about."""

    name, text = "rules.exclude_seeds", "the window is about it"

    def forbids(self, shown: Shown) -> Forbidden:
        """As `Rule`."""
        return Forbidden(others=shown.context.item_ids) if shown.settings.exclude_seeds else NOTHING


RULES: tuple[Rule, ...] = (Hidden(), Purchased(), Seen(), InCart(), Seeds())


def forbidden_items(shown: Shown) -> set[str]:
    """The items that some rule forbids."""
    return {item_id for rule in RULES for item_id in rule.forbids(shown).items(shown.profile)}


def forbidden_rows(shown: Shown, catalog: Numbered) -> Rows:
    """``int32[k]``: the same as rows of a catalogue, −1 for what it does not know; one may come twice.

    The rows of a history are remembered, where identifiers would be looked up at each request.
    """
    known, others = np.zeros(len(shown.profile.items.item_ids), np.bool_), list[str]()
    for rule in RULES:
        found = rule.forbids(shown)
        if found.known is not None:
            known |= found.known
        others += found.others
    rows = rows_of(catalog, shown.profile.items.item_ids)[known]
    return np.concatenate([rows, catalog.rows(others)]) if others else rows
