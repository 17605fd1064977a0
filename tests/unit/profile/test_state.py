"""One shopper's state: what events do to it, in whatever order they come."""

import math
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.config import ProfileConfig
from vitrine.domain.events import INTEREST, Event, EventType
from vitrine.domain.items import ItemKeys
from vitrine.domain.profile import DAY, Counters, ItemHistory, Profile
from vitrine.domain.subject import Subject
from vitrine.profile.columns import to_profile
from vitrine.profile.encoding import decode_state, encode_state
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState

RULES = Rules.of(ProfileConfig(long_half_life_days=30, short_half_life_days=1))
KEYS = {
    "lamp": ItemKeys(("家居", "家居 > 灯"), "光", "10"),
    "mug": ItemKeys(("Kitchen", "Kitchen > Mugs"), "Potter", "6"),
    "plain": ItemKeys((), "", ""),
    "vase": ItemKeys(("家居", "家居 > Vases", "家居 > Vases > Tall"), "Potter", "7"),
}
NOON = 1_700_000_000.0


def event(
    kind: EventType, item: str = "lamp", time: float = NOON, quantity: float = 1.0, rating: float = math.nan
) -> Event:
    return Event(
        event_id="e",
        subject="u:1",
        item_id=item,
        type=int(kind),
        time=time,
        quantity=quantity,
        rating=rating,
    )


def build(*events: Event, rules: Rules = RULES) -> ProfileState:
    state = ProfileState()
    for one in events:
        state.apply(one, KEYS.get(one.item_id), rules)
    return state


def read(*events: Event, rules: Rules = RULES) -> Profile:
    return to_profile(build(*events, rules=rules), rules, Subject("1"))


def row(profile: Profile, item: str) -> dict[str, float]:
    at = list(profile.items.item_ids).index(item)
    return {f.name: getattr(profile.items, f.name)[at] for f in fields(ItemHistory) if f.name != "item_ids"}


def as_dict(counters: Counters) -> dict[str, tuple[float, float, float, float]]:
    columns = (counters.counts, counters.long_term, counters.short_term, counters.last_time)
    return {
        key: tuple(float(c[at]) for c in columns)  # type: ignore[misc]
        for at, key in enumerate(counters.keys)
    }


def test_interest_decays_with_both_half_lives() -> None:
    profile = read(event(EventType.PURCHASE), event(EventType.VIEW, time=NOON + DAY))
    lamp = row(profile, "lamp")
    assert lamp["short_term"] == pytest.approx(8 / 2 + 1)
    assert lamp["long_term"] == pytest.approx(8 * 2 ** (-1 / 30) + 1)
    assert lamp["last_time"] == NOON + DAY
    assert lamp["last_purchase"] == NOON


def test_every_level_of_the_category_brand_and_price_band_count() -> None:
    profile = read(event(EventType.VIEW), event(EventType.PURCHASE, time=NOON + DAY))
    assert {key: cells[0] for key, cells in as_dict(profile.categories).items()} == {
        "家居": 2,
        "家居 > 灯": 2,
    }
    assert as_dict(profile.brands)["光"] == pytest.approx((2, 2 ** (-1 / 30) + 8, 8.5, NOON + DAY))
    assert list(profile.price_bands.keys) == ["10"]
    assert {key: cells[0] for key, cells in as_dict(profile.event_types).items()} == {
        "view": 1,
        "purchase": 1,
    }


def test_an_impression_is_counted_and_nothing_more() -> None:
    profile = read(event(EventType.IMPRESSION))
    assert profile.event_count == 1
    assert as_dict(profile.event_types)["impression"][0] == 1
    assert len(profile.items) == len(profile.recent) == len(profile.brands) == 0


def test_a_search_without_an_item_stands_in_the_recent_events() -> None:
    profile = read(event(EventType.SEARCH, item=""))
    assert (profile.recent.item_ids, profile.recent.types.tolist()) == (("",), [7])
    assert len(profile.items) == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_later_opinion_holds(order: tuple[int, int]) -> None:
    like_then_hide = [event(EventType.LIKE), event(EventType.HIDE, time=NOON + 1)]
    hide_then_like = [event(EventType.HIDE), event(EventType.LIKE, time=NOON + 1)]
    assert row(read(*(like_then_hide[i] for i in order)), "lamp")["opinion"] == -1
    assert row(read(*(hide_then_like[i] for i in order)), "lamp")["opinion"] == 1


def test_the_basket_follows_additions_removals_and_purchases() -> None:
    add, remove, buy = EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART, EventType.PURCHASE
    assert row(read(event(add, quantity=3), event(remove, time=NOON + 1)), "lamp")["in_cart"] == 2
    assert row(read(event(add), event(remove, time=NOON + 1, quantity=9)), "lamp")["in_cart"] == 0
    late = [event(buy, time=NOON + 1), event(add, quantity=2), event(add, time=NOON + 2)]
    bought = row(read(*late), "lamp")
    assert (bought["in_cart"], bought["purchases"], bought["quantity"]) == (1, 1, 1)


def test_a_rating_is_the_last_one() -> None:
    profile = read(event(EventType.RATING, time=NOON + 1, rating=5.0), event(EventType.RATING, rating=1.0))
    assert row(profile, "lamp")["rating"] == 5


def test_days_of_purchase_are_counted_once() -> None:
    profile = read(*(event(EventType.PURCHASE, time=NOON + hours * 3600) for hours in (0, 0.1, 24, 24.1)))
    assert profile.purchase_days == 2


def test_items_stand_in_order_of_their_last_event() -> None:
    views = [event(EventType.VIEW, item, NOON + at) for at, item in enumerate(["a", "b", "a", "c"])]
    assert list(read(*views).items.item_ids) == ["b", "a", "c"]


def test_the_least_interesting_items_go_first_and_what_was_hidden_stays() -> None:
    rules = RULES._replace(max_items=8)
    many = [event(EventType.VIEW, f"i{at}", NOON + at * DAY) for at in range(20)]
    profile = read(event(EventType.HIDE, "ugly", NOON - 90 * DAY), *many, rules=rules)
    kept = list(profile.items.item_ids)
    assert kept[0] == "ugly"
    assert 7 <= len(kept) <= 8
    assert kept[1:] == [f"i{at}" for at in range(20 - len(kept) + 1, 20)]


def test_everything_has_a_cap() -> None:
    rules = RULES._replace(max_items=16, max_keys=4, max_recent=5)
    state = ProfileState()
    for at in range(500):
        keys = ItemKeys((f"c{at}", f"c{at} > d"), f"b{at}", str(at % 7))
        state.apply(event(EventType.VIEW, f"i{at}", NOON + at), keys, rules)
        assert len(state.items) <= 16
        assert max(len(state.categories), len(state.brands), len(state.price_bands)) <= 4
        assert len(state.recent) <= 5
    assert "b499" in state.brands.keys
    assert state.recent.items == ["i495", "i496", "i497", "i498", "i499"]
    assert state.event_count == 500


def test_a_stored_state_is_read_back_and_goes_on() -> None:
    events = [event(kind, item, NOON + 60 * kind) for kind in EventType for item in ("lamp", "mug", "plain")]
    half = decode_state(encode_state(build(*events[:15])))
    for one in events[15:]:
        half.apply(one, KEYS.get(one.item_id), RULES)
    assert encode_state(half) == encode_state(build(*events))


def test_columns_are_read_only() -> None:
    profile = read(event(EventType.VIEW))
    for column in (profile.items.views, profile.items.opinion, profile.recent.times, profile.brands.counts):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 7


EVENTS = st.lists(
    st.builds(
        lambda kind, item, minutes, quantity, rating: event(
            kind, item, NOON + 60.0 * minutes, quantity=float(quantity), rating=rating
        ),
        st.sampled_from(list(EventType)),
        st.sampled_from([*KEYS, "unknown"]),
        st.integers(0, 60 * 24 * 3),
        st.integers(0, 4),
        st.sampled_from([math.nan, 1.0, 4.5]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_order_of_arrival_does_not_matter(data: st.DataObject) -> None:
    events = data.draw(EVENTS)
    rules = RULES._replace(max_recent=6)
    one, other = read(*events, rules=rules), read(*data.draw(st.permutations(events)), rules=rules)
    assert list(one.items.item_ids) == list(other.items.item_ids)
    for name in (f.name for f in fields(ItemHistory) if f.name != "item_ids"):
        np.testing.assert_allclose(getattr(one.items, name), getattr(other.items, name), rtol=1e-9, atol=1e-9)
    assert one.recent.item_ids == other.recent.item_ids
    assert one.recent.types.tolist() == other.recent.types.tolist()
    assert one.recent.times.tolist() == other.recent.times.tolist()
    for name in ("event_types", "categories", "brands", "price_bands"):
        mine, theirs = as_dict(getattr(one, name)), as_dict(getattr(other, name))
        assert mine.keys() == theirs.keys()
        for key, cells in mine.items():
            assert cells == pytest.approx(theirs[key], rel=1e-9, abs=1e-9)
    scalars = ("event_count", "first_time", "last_time", "purchase_days")
    assert [getattr(one, name) for name in scalars] == [getattr(other, name) for name in scalars]


@settings(max_examples=100, deadline=None)
@given(EVENTS, st.lists(st.integers(0, 25), max_size=6))
def test_events_count_the_same_at_once_and_one_by_one(events: list[Event], cuts: list[int]) -> None:
    rules = RULES._replace(max_items=8, max_keys=3, max_recent=6)
    bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    parts = ProfileState()
    for start, end in pairwise(bounds):
        rows = [
            Row(0, e.type, e.time, e.item_id, e.quantity, e.rating, KEYS.get(e.item_id))
            for e in events[start:end]
        ]
        parts.extend(rows, rules)
    assert encode_state(parts) == encode_state(build(*events, rules=rules))


@settings(max_examples=50, deadline=None)
@given(EVENTS)
def test_interest_is_the_decayed_sum(events: list[Event]) -> None:
    profile = read(*events)
    for at, item in enumerate(profile.items.item_ids):
        last = profile.items.last_time[at]
        expected = sum(
            INTEREST[EventType(e.type)] * 2 ** (-(last - e.time) / DAY)
            for e in events
            if e.item_id == item and e.type not in {EventType.IMPRESSION, EventType.SEARCH}
        )
        assert profile.items.short_term[at] == pytest.approx(expected, abs=1e-9)
