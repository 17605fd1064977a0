"""Some shoppers with their windows, asked of the shop that was measured."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.app.offline import OfflineShop
from vitrine.domain.events import EventType
from vitrine.domain.ids import tie_keys
from vitrine.domain.profile import DAY, Profile
from vitrine.recommendation.query import WindowQuery
from vitrine_export.evaluate.lists import ItemCodes, ItemSets, Lists
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.page.chapters import Offer, People, Shopper, Thing
from vitrine_export.evaluate.page.words import counted

# Of ten shoppers, how many had nothing found for them at most: that is most of them where a query has one target.
_MISSED = 0.3
_DONE = {
    EventType.VIEW: "looked at",
    EventType.CLICK: "clicked",
    EventType.ADD_TO_CART: "put into the basket",
    EventType.REMOVE_FROM_CART: "taken out of the basket",
    EventType.PURCHASE: "bought",
    EventType.RATING: "rated",
    EventType.REVIEW: "reviewed",
    EventType.LIKE: "liked",
    EventType.HIDE: "hidden",
}


def people_of(
    shop: OfflineShop,
    asked: Sequence[WindowQuery],
    targets: ItemSets,
    codes: ItemCodes,
    lists: Lists,
    *,
    count: int = 10,
    last: int = 12,
    seed: int = 0,
    dated: bool = True,
) -> People:
    """Some shoppers.

    Args:
        shop: Who answers; filled as for the lists.
        asked: The q questions (`serving.window_queries`).
        targets: What each then took.
        codes: All items.
        lists: What the pipeline answered: decides who is chosen.
        count: How many shoppers at most.
        last: How many items of a history are shown.
        seed: Decides between those who were served equally well.
        dated: Whether the times of the events are real.
    """
    k = lists.items.shape[1]
    quality = measure(lists, targets, [k], ["ndcg"])[f"ndcg@{k}"]
    names = [query.subject.key if query.subject else "" for query in asked]
    chosen = choose(quality, tie_keys((f"shown\0{n}\0{i}" for i, n in enumerate(names)), seed), count)
    people = [_shopper(shop, asked[q], targets.of(q).tolist(), codes, last, dated=dated) for q in chosen]
    served = float((quality > 0).mean()) if len(quality) else 0.0
    how = (
        f"In {100 * served:.0f} % of all queries the {counted(k, 'place')} of the window hold something that the shopper then took. "
        "These shoppers are drawn evenly from the best served to the worst of those, and some whom nothing was found for."
    )
    return People(people, how)


def choose(quality: npt.NDArray[np.float64], ties: npt.NDArray[np.uint64], count: int) -> list[int]:
    """Queries from the best served to the worst, evenly; at most three tenths of them with nothing, if others are there."""
    order = np.lexsort((ties, -quality))
    hit, missed = order[quality[order] > 0], order[quality[order] <= 0]
    without = min(len(missed), max(round(count * _MISSED), count - len(hit)))
    return [*_evenly(hit, count - without), *missed[:without].tolist()]


def _evenly(order: npt.NDArray[np.intp], count: int) -> list[int]:
    places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return [int(order[place]) for place in places]


def _shopper(
    shop: OfflineShop, query: WindowQuery, targets: list[int], codes: ItemCodes, last: int, *, dated: bool
) -> Shopper:
    profile = shop.profile(query.subject)
    took = [codes.ids[code] for code in targets]
    had = {*profile.items.item_ids, *query.context.seeds}
    window = shop.recommend(query)
    titles = _titles(
        shop, [*profile.recent.item_ids, *took, *query.context.seeds, *(i.item_id for i in window.items)]
    )
    offers = [
        Offer(
            Thing(item.item_id, titles[item.item_id]),
            item.reason.text,
            tuple(item.sources),
            taken=item.item_id in took,
            known=item.item_id in had,
        )
        for item in window.items
    ]
    told = [counted(profile.event_count, "event")] if profile.event_count else ["nothing known before"]
    if dated and profile.last_time:
        told.append(f"last seen {_ago(shop.now - profile.last_time)}")
    return Shopper(
        query.subject.id if query.subject else "somebody unknown",
        ", ".join(told),
        _history(profile, titles, last, shop.now if dated else None),
        offers,
        [Thing(item, titles[item]) for item in took],
        [Thing(item, titles[item]) for item in query.context.seeds],
    )


def _history(profile: Profile, titles: dict[str, str], last: int, now: float | None) -> list[Thing]:
    """The latest items, each once: what was done with it last, how often it stands there, how long ago."""
    recent = profile.recent
    several = len(set(recent.types.tolist())) > 1
    found: dict[str, tuple[str, int, float]] = {}
    for item, kind, moment in zip(
        reversed(recent.item_ids), recent.types[::-1].tolist(), recent.times[::-1].tolist(), strict=True
    ):
        if item:
            done, times, latest = found.get(
                item, (_DONE.get(EventType(kind), "") if several else "", 0, moment)
            )
            found[item] = done, times + 1, latest
    return [
        Thing(
            item,
            titles[item],
            " · ".join(
                filter(
                    None, (done, f"{times}×" if times > 1 else "", "" if now is None else _ago(now - moment))
                )
            ),
        )
        for item, (done, times, moment) in list(found.items())[:last]
    ]


def _ago(seconds: float) -> str:
    days = int(seconds // DAY)
    return f"{counted(days, 'day')} before" if days >= 1 else "on the last day"


def _titles(shop: OfflineShop, items: Sequence[str]) -> dict[str, str]:
    """Titles by identifier; empty for none, and for one that only repeats the identifier."""
    catalog = shop.memory.store.catalog
    rows = catalog.rows(items).tolist()
    found = (catalog.titles[row] if row >= 0 else "" for row in rows)
    return {item: "" if title == item else title for item, title in zip(items, found, strict=True)}
