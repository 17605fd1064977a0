"""The front hands profiles and candidates on as they came, and reads a profile only where it has to."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.profile.test_wire_profiles import NOW, assert_same, typical
from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.answer import Versions
from vitrine.domain.candidates import Candidates, Retrieved
from vitrine.domain.profile import Profile
from vitrine.errors import InvalidInput
from vitrine.wire import passed_profile as passing
from vitrine.wire.candidates import (
    candidates_message,
    candidates_to_proto,
    retrieved_from_proto,
    retrieved_to_proto,
)
from vitrine.wire.passed_profile import passed_profile, profile_message
from vitrine.wire.profiles import profile_to_proto


def test_a_profile_is_handed_on_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> Profile:
        raise AssertionError("the profile is read")

    monkeypatch.setattr(passing, "profile_from_proto", read)
    message = profile_to_proto(typical(), NOW)
    passed = passed_profile(message)
    assert profile_message(passed, NOW) is message
    assert (passed.subject, passed.version, passed.watermark) == (typical().subject, 300, 301)


def test_a_profile_that_is_looked_into_is_as_it_came() -> None:
    passed = passed_profile(profile_to_proto(typical(), NOW))
    np.testing.assert_array_equal(passed.interest(NOW), typical().interest(NOW))
    assert_same(passed, typical())
    assert not hasattr(passed, "nothing")


def test_what_is_made_of_a_passed_profile_is_written_anew() -> None:
    changed = replace(passed_profile(profile_to_proto(typical(), NOW)), watermark=302)
    assert profile_message(changed, NOW) == profile_to_proto(replace(typical(), watermark=302), NOW)


def test_a_damaged_profile_is_nobodys_history(caplog: pytest.LogCaptureFixture) -> None:
    message = profile_to_proto(typical(), NOW)
    del message.items.views[3:]
    passed = passed_profile(message)
    assert profile_message(passed, NOW) is message  # who reads it will refuse it
    assert len(passed.items) == len(passed.recent) == passed.event_count == 0
    assert (passed.subject, passed.watermark) == (typical().subject, 301)
    assert "profile.items.views" in caplog.text


def test_a_token_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput, match="token"):
        passed_profile(profile_pb2.Profile(watermark="31"))


def test_candidates_are_handed_on_as_they_came() -> None:
    found = Candidates(
        ["a", "b"],
        ("popular",),
        np.array([1, 0], np.uint32),
        np.array([[0.5], [np.nan]], np.float32),
        np.array([1, 0], np.float32),
    )
    came = retrieved_to_proto(Retrieved(found, 1, Versions()))
    passed = retrieved_from_proto(came).candidates
    assert candidates_message(passed) == came.candidates == candidates_to_proto(passed)
    assert candidates_message(found) == came.candidates
    changed = replace(passed, source_names=("trending",))
    assert candidates_message(changed).source_names == ["trending"]
