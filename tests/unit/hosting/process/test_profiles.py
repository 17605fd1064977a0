"""A profile is the same in another process."""

from pathlib import Path

import numpy as np

from vitrine.config import load_config
from vitrine.domain.events import Event, EventType
from vitrine.domain.items import ItemKeys
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.hosting.process.profiles import pack, unpack
from vitrine.profile import Profiles
from vitrine.wire.profiles import profile_to_proto

NOW = 1.79e9


def _travelled(profile: Profile) -> Profile:
    return unpack(pack(profile))


def test_a_profile_with_everything_travels_to_the_last_bit(tmp_path: Path) -> None:
    subject = Subject("ümlaut 杯", anonymous=True)
    keys = ItemKeys(("Kitchen", "Kitchen > Mugs"), "Brand", "EUR 8")
    profiles = Profiles.open(tmp_path, load_config(), lambda _: keys, lambda: NOW)
    events = [
        Event(
            event_id=f"e{n}",
            subject=subject.key,
            item_id=f"item {n % 5}",
            type=kind,
            time=NOW - 100 + n,
            rating=4.0,
            quantity=2,
        )
        for n, kind in enumerate([*EventType] * 3)
    ]
    profiles.record(events).result()
    profile = profiles.get(subject)
    profiles.close()
    assert len(profile.items)
    assert len(profile.categories)
    same = _travelled(profile)
    assert same.subject == subject
    # Every field of the message, and so of the profile.
    assert profile_to_proto(same, NOW) == profile_to_proto(profile, NOW)
    np.testing.assert_array_equal(same.interest(NOW), profile.interest(NOW))
    assert same.items.last_time.dtype == profile.items.last_time.dtype
    assert not same.items.views.flags.writeable


def test_an_empty_profile_travels() -> None:
    same = _travelled(Profile())
    assert same.subject is None
    assert len(same.items) == len(same.recent) == len(same.brands) == 0
    assert profile_to_proto(same, NOW) == profile_to_proto(Profile(), NOW)
