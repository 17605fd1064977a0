"""Profiles over the wire: nothing is lost or rounded."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from vitrine.config import ProfileConfig
from vitrine.domain.events import Activity, Event, EventType
from vitrine.domain.items import ItemKeys
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.profile.columns import empty_profile, to_profile
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.wire.profiles import activity_from_proto, activity_to_proto, profile_from_proto, profile_to_proto

RULES = Rules.of(ProfileConfig(long_half_life_days=12.5))
NOW = 1_700_000_000.0


def assert_same(one: Any, other: Any) -> None:
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if is_dataclass(mine):
            assert_same(mine, theirs)
        elif isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype, field.name
            np.testing.assert_array_equal(mine, theirs)
        elif field.name in {"item_ids", "keys"}:
            assert list(mine) == list(theirs)
        else:
            assert mine == theirs, field.name


def typical() -> Profile:
    rng = np.random.default_rng(5)
    state = ProfileState()
    for at in range(300):
        event = Event(
            event_id=str(at),
            subject="u:1",
            item_id=f"物{at % 40}",
            type=int(rng.integers(1, 12)),
            time=round((NOW - rng.random() * 1e7) * 1e6) / 1e6,
            quantity=float(rng.integers(1, 4)),
            rating=float(rng.integers(1, 6)),
        )
        state.apply(event, ItemKeys(("A", f"A > {at % 5}"), f"b{at % 3}", str(at % 4)), RULES)
    state.version = 300
    return to_profile(state, RULES, Subject("客", anonymous=True), watermark=301)


def test_a_profile_survives_the_wire_exactly() -> None:
    profile = typical()
    assert_same(profile_from_proto(profile_to_proto(profile, NOW)), profile)


def test_an_empty_profile_survives_too() -> None:
    for profile in (Profile(), empty_profile(RULES, Subject("x"), 9)):
        assert_same(profile_from_proto(profile_to_proto(profile, NOW)), profile)


def test_columns_of_different_lengths_are_refused() -> None:
    message = profile_to_proto(typical(), NOW)
    del message.items.views[-1]
    with pytest.raises(InvalidInput, match=r"query\.profile\.items\.views: has 39 values for 40 keys"):
        profile_from_proto(message, "query.profile")


def test_a_number_out_of_range_is_refused() -> None:
    message = profile_to_proto(typical(), NOW)
    message.items.opinion[0] = 1000
    with pytest.raises(InvalidInput, match=r"profile\.items\.opinion"):
        profile_from_proto(message)


def test_activity_survives_the_wire() -> None:
    activity = Activity(
        ["a", "灯"],
        np.array([EventType.VIEW, EventType.PURCHASE], np.int8),
        np.array([NOW, NOW + 0.000001]),
        np.array([1.0, 2.5]),
        17,
    )
    back = activity_from_proto(activity_to_proto(activity))
    assert (list(back.item_ids), back.cursor) == (["a", "灯"], 17)
    for mine, theirs in zip(activity[1:4], back[1:4], strict=True):
        np.testing.assert_array_equal(mine, theirs)
