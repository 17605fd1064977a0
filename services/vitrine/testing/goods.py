"""What the shop in memory sells, and who its shoppers are. Always the same."""

from collections.abc import Sequence

import numpy as np

from vitrine.catalog import Catalog
from vitrine.config import ProfileConfig
from vitrine.domain.events import EventType
from vitrine.domain.items import Availability, Item
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.subject import Subject
from vitrine.profile.columns import to_profile
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState

# 1 November 2026, 12:00 UTC.
NOW = 1_793_534_400.0
SEED = 20261101

_NOUNS = (
    "mug",
    "lamp",
    "杯子",
    "teapot",
    "candle",
    "clock",
    "枕头",
    "bowl",
    "basket",
    "frame",
    "灯笼",
    "tray",
)
_KINDS = ("red", "blue", "vintage", "small", "large", "striped", "wooden", "glass")
_ROOMS = ("Kitchen", "Living room", "Garden", "Bath", "书房")
_VIEW, _CART, _BUY = EventType.VIEW, EventType.ADD_TO_CART, EventType.PURCHASE


def items(count: int, ids: Sequence[str] = ()) -> list[Item]:
    """Items of 60 categories and 40 brands, some without a brand, a price or a created time.

    Args:
        count: How many.
        ids: Identifiers for every other one of them, from the first on, as far as they go; the rest are called
            ``mug-0000``, ``杯子-0002`` and so on.
    """
    rng = np.random.default_rng(SEED)
    price = np.exp(rng.normal(2.3, 0.8, count))
    age = rng.exponential(200, count)
    brand, missing = rng.integers(40, size=count), rng.random((count, 4)) < 0.05
    return [
        Item(
            item_id=ids[n // 2] if n % 2 == 0 and n // 2 < len(ids) else f"{_NOUNS[n % 12]}-{n:04d}",
            title=f"{_KINDS[n % 8]} {_NOUNS[n % 12]} {n}",
            category_path=() if missing[n, 0] else (_ROOMS[n % 5], _NOUNS[n % 12]),
            brand="" if missing[n, 1] else f"brand-{brand[n]}",
            price_micros=0 if missing[n, 2] else int(price[n] * 100) * 10_000,
            currency="EUR",
            availability=Availability.OUT_OF_STOCK if n % 37 == 36 else Availability.IN_STOCK,
            created=0.0 if missing[n, 3] else float(NOW - age[n] * DAY),
        )
        for n in range(count)
    ]


def shoppers(catalog: Catalog) -> dict[str, Profile]:
    """Profiles by kind of shopper, counted as a server counts events.

    ``stranger`` never came; ``newcomer`` looked once; ``browser`` never bought; ``buyer`` bought a little, ``regular``
    for a year; ``picky`` rates, likes and hides; ``lapsed`` did only things with items that are gone.
    """
    gone = [f"gone-{n}" for n in range(12)]
    return {
        "stranger": Profile(),
        "newcomer": _profile(catalog, "newcomer", 1, 1, (_VIEW,)),
        "browser": _profile(catalog, "browser", 40, 25, (_VIEW, _VIEW, EventType.CLICK, _CART)),
        "buyer": _profile(catalog, "买家", 80, 60, (_VIEW, _VIEW, _CART, _BUY)),
        "regular": _profile(catalog, "regular", 900, 300, (_VIEW, _BUY, _CART, _BUY), days=360),
        "picky": _profile(
            catalog, "picky", 60, 40, (_VIEW, EventType.RATING, EventType.LIKE, EventType.HIDE, _BUY)
        ),
        "lapsed": _profile(catalog, "lapsed", 30, 12, (_VIEW, _BUY), days=500, since=200, items=gone),
    }


def _profile(
    catalog: Catalog,
    name: str,
    events: int,
    known: int,
    types: tuple[EventType, ...],
    *,
    days: float = 60,
    since: float = 0.01,
    items: Sequence[str] = (),
) -> Profile:
    """The profile after some events with some items, ``days`` to ``since`` days ago."""
    rng = np.random.default_rng([SEED, *name.encode()])
    chosen = items or [catalog.ids[row] for row in rng.choice(len(catalog), known, replace=False).tolist()]
    rules = Rules.of(ProfileConfig())
    state = ProfileState()
    for time in np.sort(rng.uniform(since, days, events))[::-1].tolist():
        item = chosen[int(rng.integers(len(chosen)))]
        kind = types[int(rng.integers(len(types)))]
        stars = float(rng.integers(1, 6)) if kind is EventType.RATING else float("nan")
        state.update(kind, NOW - time * DAY, item, 1.0, stars, catalog.counter_keys(item), rules)
    return to_profile(state, rules, Subject(name))
