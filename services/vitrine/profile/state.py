"""What is stored of a shopper, and how one event changes it. The order in which events arrive does not matter."""

from collections.abc import Sequence
from math import exp2, isnan

import msgspec
import numpy as np

from vitrine.domain.events import INTEREST, Event, EventType
from vitrine.domain.items import ItemKeys
from vitrine.profile.cart import Move, add_move, after_purchase
from vitrine.profile.recent import Recent
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.table import COUNTER_WIDTH, Counted, Table, best

# Columns of the table of items.
LAST_TIME, LAST_PURCHASE, VIEWS, PURCHASES, QUANTITY, LONG_TERM, SHORT_TERM = range(7)
ITEM_WIDTH = 7

DAY_SECONDS = 86_400
TYPE_NAMES = ("", *(t.name.lower() for t in EventType))
_TYPE_KEYS = [(name,) for name in TYPE_NAMES]
_INTEREST = (0.0, *(INTEREST[t] for t in EventType))

# Plain numbers: comparing with them is faster than with members of an enumeration.
_IMPRESSION, _SEARCH = int(EventType.IMPRESSION), int(EventType.SEARCH)
_ADD, _PURCHASE, _LIKE = int(EventType.ADD_TO_CART), int(EventType.PURCHASE), int(EventType.LIKE)
_LOOK = (int(EventType.VIEW), int(EventType.CLICK))
_CART = (_ADD, int(EventType.REMOVE_FROM_CART), _PURCHASE)
_OPINION = (_LIKE, int(EventType.HIDE))


def _counters() -> Table:
    return Table(COUNTER_WIDTH)


# The collector of cycles need not walk through these, nor through their tables: there are thousands, without cycles.
class ProfileState(msgspec.Struct, gc=False, eq=False):
    """A shopper's profile while it changes.

    Every event counts by its type, the interests there being decayed numbers of events. Impressions count nowhere
    else: what was shown to the shopper is not what the shopper did.

    Attributes:
        version: Sequence number in the log of the last event counted.
        event_count: Events counted.
        first_time: Earliest event, Unix seconds UTC; 0 when there is none.
        last_time: Latest event.
        purchase_days: Days since 1970 on which something was bought.
        items: Rows of `ITEM_WIDTH` cells, one an item.
        types: Counters by type.
        categories: Counters by category, every level.
        brands: Counters by brand.
        price_bands: Counters by price band.
        recent: The latest events.
        opinions: Items liked (1) or hidden (−1), with the time of that.
        ratings: Last rating of items, with its time.
        carts: What was put into the basket and taken out of it since the last purchase.
    """

    version: int = 0
    event_count: int = 0
    first_time: float = 0.0
    last_time: float = 0.0
    purchase_days: set[int] = msgspec.field(default_factory=set)
    items: Table = msgspec.field(default_factory=lambda: Table(ITEM_WIDTH))
    types: Table = msgspec.field(default_factory=_counters)
    categories: Table = msgspec.field(default_factory=_counters)
    brands: Table = msgspec.field(default_factory=_counters)
    price_bands: Table = msgspec.field(default_factory=_counters)
    recent: Recent = msgspec.field(default_factory=Recent)
    opinions: dict[str, tuple[float, int]] = {}
    ratings: dict[str, tuple[float, float]] = {}
    carts: dict[str, list[Move]] = {}

    def apply(self, event: Event, keys: ItemKeys | None, rules: Rules) -> None:
        """Counts an event.

        Args:
            event: A valid event of this shopper that was not counted before.
            keys: Category, brand and price band of its item, when they are known.
            rules: Half-lives and caps.
        """
        self.update(event.type, event.time, event.item_id, event.quantity, event.rating, keys, rules)

    def update(
        self,
        event_type: int,
        time: float,
        item_id: str,
        quantity: float,
        rating: float,
        keys: ItemKeys | None,
        rules: Rules,
    ) -> None:
        """`apply` for the fields of an event."""
        self.extend([Row(0, event_type, time, item_id, quantity, rating, keys)], rules)

    def extend(self, rows: Sequence[Row], rules: Rules) -> None:
        """`apply` for events in the order in which they were recorded; the more at once, the less each of them costs."""
        types: list[Counted] = []
        categories: list[Counted] = []
        brands: list[Counted] = []
        bands: list[Counted] = []
        self.items.expect(len(rows))
        for row in rows:
            event_type, time = row.type, row.time
            if self.event_count == 0 or time < self.first_time:
                self.first_time = time
            self.last_time = max(self.last_time, time)
            self.event_count += 1
            types.append((_TYPE_KEYS[event_type], 1.0, time))
            if event_type == _IMPRESSION:
                continue
            self.recent.add(row.item_id, event_type, time)
            if event_type == _SEARCH:
                continue
            weight = _INTEREST[event_type]
            self._item(row, weight, rules)
            if (keys := row.keys) is not None:
                categories.append((keys.categories, weight, time))
                if keys.brand:
                    brands.append(((keys.brand,), weight, time))
                if keys.price_band:
                    bands.append(((keys.price_band,), weight, time))
        self.recent.trim(rules.max_recent)
        # No table of counters depends on another, nor on the items.
        self.types.count(types, len(TYPE_NAMES), rules)
        for table, counted in (
            (self.categories, categories),
            (self.brands, brands),
            (self.price_bands, bands),
        ):
            if counted:
                table.count(counted, rules.max_keys, rules)

    def _item(self, row: Row, weight: float, rules: Rules) -> None:
        """Counts an event on an item, but for what the item counts as."""
        item_id, event_type, time = row.item_id, row.type, row.time
        self._count_item(item_id, event_type, time, weight, row.quantity, rules)
        if event_type in _CART:
            self._move(item_id, event_type, time, row.quantity)
        elif event_type in _OPINION:
            # The later opinion holds; of two at the same moment, the one that hides.
            opinion = (time, 1 if event_type == _LIKE else -1)
            known = self.opinions.get(item_id)
            if known is None or (opinion[0], -opinion[1]) > (known[0], -known[1]):
                self.opinions[item_id] = opinion
        rating = row.rating
        if not isnan(rating) and (item_id not in self.ratings or (time, rating) > self.ratings[item_id]):
            self.ratings[item_id] = (time, rating)
        if len(self.items) > rules.max_items:
            self._evict(rules)

    def _count_item(
        self, item_id: str, event_type: int, time: float, weight: float, quantity: float, rules: Rules
    ) -> None:
        table = self.items
        cells = table.cells
        row = table.find(item_id)
        if row < 0:
            at = table.add(item_id, (time, 0.0, 0.0, 0.0, 0.0, weight, weight)) * ITEM_WIDTH
        else:
            at = row * ITEM_WIDTH
            age = time - cells[at]
            if age > 0.0:
                cells[at + 5] = cells[at + 5] * exp2(-age / rules.long_half_life) + weight
                cells[at + 6] = cells[at + 6] * exp2(-age / rules.short_half_life) + weight
                cells[at] = time
            elif weight:
                cells[at + 5] += weight * exp2(age / rules.long_half_life)
                cells[at + 6] += weight * exp2(age / rules.short_half_life)
        if event_type in _LOOK:
            cells[at + 2] += 1.0
        elif event_type == _PURCHASE:
            cells[at + 3] += 1.0
            cells[at + 4] += quantity
            cells[at + 1] = max(cells[at + 1], time)

    def _move(self, item_id: str, event_type: int, time: float, quantity: float) -> None:
        """An addition, removal or purchase of an item already in the table."""
        if event_type == _PURCHASE:
            self.purchase_days.add(int(time // DAY_SECONDS))
            if (moves := self.carts.get(item_id)) is not None:
                if left := after_purchase(moves, time):
                    self.carts[item_id] = left
                else:
                    del self.carts[item_id]
        elif time > self.items.cells[self.items.find(item_id) * ITEM_WIDTH + LAST_PURCHASE]:
            pieces = quantity if event_type == _ADD else -quantity
            add_move(self.carts.setdefault(item_id, []), time, pieces)

    def _evict(self, rules: Rules) -> None:
        """Keeps seven eighths of the cap: first what is liked, hidden or in the basket, then by interest now."""
        table = self.items
        cells = table.block()
        score = cells[:, LONG_TERM] * np.exp2((cells[:, LAST_TIME] - self.last_time) / rules.long_half_life)
        del cells
        held = [row for item in (*self.opinions, *self.carts) if (row := table.find(item)) >= 0]
        score[held] = np.inf
        table.keep(best(score, rules.max_items - rules.max_items // 8))
        for beside in (self.opinions, self.ratings, self.carts):
            for item in [item for item in beside if table.find(item) < 0]:
                del beside[item]
