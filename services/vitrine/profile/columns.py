"""From the state of a shopper to the profile that others read."""

import numpy as np
import numpy.typing as npt

from vitrine.domain.profile import Counters, ItemHistory, Profile, RecentEvents
from vitrine.domain.subject import Subject
from vitrine.profile import state as s
from vitrine.profile.cart import pieces_in
from vitrine.profile.recent import tie_key
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.profile.table import COUNT, LAST, LONG, SHORT, Table

_NO_ITEMS = ItemHistory()
_NO_COUNTERS = Counters()


def to_profile(state: ProfileState, rules: Rules, subject: Subject | None, watermark: int = 0) -> Profile:
    """The profile as read-only columns, the most recent item last."""
    return Profile(
        subject=subject,
        version=state.version,
        watermark=watermark,
        event_count=state.event_count,
        first_time=state.first_time,
        last_time=state.last_time,
        purchase_days=len(state.purchase_days),
        items=_items(state),
        recent=_recent(state),
        event_types=_counters(state.types),
        categories=_counters(state.categories),
        brands=_counters(state.brands),
        price_bands=_counters(state.price_bands),
        long_half_life=rules.long_half_life,
        short_half_life=rules.short_half_life,
    )


def empty_profile(rules: Rules, subject: Subject | None, watermark: int = 0) -> Profile:
    """The profile of a shopper of whom nothing is known."""
    return Profile(
        subject=subject,
        watermark=watermark,
        long_half_life=rules.long_half_life,
        short_half_life=rules.short_half_life,
    )


def _items(state: ProfileState) -> ItemHistory:
    table = state.items
    if not table.keys:
        return _NO_ITEMS
    order = _by_time(table)
    block = np.ascontiguousarray(table.block()[order].T)
    block.flags.writeable = False
    n = len(order)
    keys = table.keys
    ids = [keys[row] for row in order.tolist()]
    in_cart = np.zeros(n)
    rating = np.full(n, np.nan, np.float32)
    opinion = np.zeros(n, np.int8)
    if state.carts or state.ratings or state.opinions:
        place = dict(zip(ids, range(n), strict=True))
        for item, moves in state.carts.items():
            in_cart[place[item]] = pieces_in(moves)
        for item, (_, stars) in state.ratings.items():
            rating[place[item]] = stars
        for item, (_, liked) in state.opinions.items():
            opinion[place[item]] = liked
    for column in (in_cart, rating, opinion):
        column.flags.writeable = False
    return ItemHistory(
        item_ids=tuple(ids),
        last_time=block[s.LAST_TIME],
        last_purchase=block[s.LAST_PURCHASE],
        views=block[s.VIEWS],
        in_cart=in_cart,
        purchases=block[s.PURCHASES],
        quantity=block[s.QUANTITY],
        long_term=block[s.LONG_TERM],
        short_term=block[s.SHORT_TERM],
        rating=rating,
        opinion=opinion,
    )


def _by_time(table: Table) -> npt.NDArray[np.intp]:
    """Rows by last time, equal times by `tie_key`: the same however the rows came about."""
    last = table.block()[:, s.LAST_TIME]
    order: npt.NDArray[np.intp] = np.argsort(last, kind="stable")
    ordered = last[order]
    if (ordered[1:] == ordered[:-1]).any():
        keys = table.keys
        times = last.tolist()
        order = np.array(sorted(range(len(keys)), key=lambda row: (times[row], tie_key(keys[row]))), np.intp)
    return order


def _counters(table: Table) -> Counters:
    if not table.keys:
        return _NO_COUNTERS
    block = np.array(table.block().T, order="C")
    block.flags.writeable = False
    return Counters(tuple(table.keys), block[COUNT], block[LONG], block[SHORT], block[LAST])


def _recent(state: ProfileState) -> RecentEvents:
    recent = state.recent
    types = np.frombuffer(bytes(recent.types), np.int8)
    times = np.frombuffer(recent.times.tobytes(), np.float64)
    return RecentEvents(tuple(recent.items), types, times)
