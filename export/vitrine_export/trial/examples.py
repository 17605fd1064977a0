"""Lists of some shoppers before and after: figures say how much, these say what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.app.offline import OfflineShop
from vitrine.domain.subject import Subject
from vitrine_export.evaluate.lists import ItemCodes, Lists
from vitrine_export.evaluate.temporal import Queries

# Items of the shopper's past that stand above the lists.
_LAST = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """An item in a list.

    Attributes:
        item: Its identifier.
        title: Its title; the identifier where it has none.
        was: Its rank in the other list, from 1; 0 when it is not in it.
        taken: Whether the shopper then took it.
    """

    item: str
    title: str
    was: int
    taken: bool


@dataclass(frozen=True, slots=True)
class Example:
    """One shopper's window without and with the plugin.

    Attributes:
        shopper: The user.
        last: Titles of what the shopper turned to last, the latest first.
        basket: Titles of what lies in the basket.
        before: Without the plugin.
        after: With it.
    """

    shopper: str
    last: list[str]
    basket: list[str]
    before: list[Shown]
    after: list[Shown]


def changed_places(before: Lists, after: Lists) -> npt.NDArray[np.float64]:
    """``float64[q]``: the share of places of each list that hold another item."""
    there = np.maximum((after.items >= 0).sum(1), 1)
    shares: npt.NDArray[np.float64] = ((before.items != after.items) & (after.items >= 0)).sum(1) / there
    return shares


def choose(changed: npt.NDArray[np.float64], count: int) -> list[int]:
    """Queries from the one whose list changed most to the one whose list changed least, evenly between them."""
    order = np.argsort(-changed, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return [int(order[place]) for place in places]


def examples(
    shop: OfflineShop, queries: Queries, codes: ItemCodes, before: Lists, after: Lists, count: int
) -> list[Example]:
    """Some shoppers' lists, the most changed first; arguments as for `choose`."""
    titles = _Titles(shop)

    def listed(query: int, lists: Lists, others: Lists) -> list[Shown]:
        rank = {code: place for place, code in enumerate(others.items[query].tolist(), 1) if code >= 0}
        targets = set(queries.targets.of(query).tolist())
        return [
            Shown(codes.ids[code], titles.of(codes.ids[code]), rank.get(code, 0), code in targets)
            for code in lists.items[query].tolist()
            if code >= 0
        ]

    chosen = []
    for query in choose(changed_places(before, after), count):
        subject = Subject.from_key(queries.users[query])
        recent = reversed(shop.profile(subject).recent.item_ids)
        last = list(dict.fromkeys(item for item in recent if item))[:_LAST]
        basket = [codes.ids[code] for code in queries.contexts.of(query).tolist()]
        chosen.append(
            Example(
                subject.id,
                titles.all(last),
                titles.all(basket),
                listed(query, before, after),
                listed(query, after, before),
            )
        )
    return chosen


class _Titles:
    """Titles by identifier."""

    def __init__(self, shop: OfflineShop) -> None:
        self._catalog = shop.memory.store.catalog

    def of(self, item_id: str) -> str:
        row = int(self._catalog.rows([item_id])[0])
        return (self._catalog.titles[row] if row >= 0 else "") or item_id

    def all(self, item_ids: Sequence[str]) -> list[str]:
        return [self.of(item_id) for item_id in item_ids]
