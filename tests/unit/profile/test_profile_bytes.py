"""Profiles kept as bytes: the same message as one that is converted anew."""

import tracemalloc
from dataclasses import replace

import pytest

from vitrine.api.profile.v1 import profile_pb2
from vitrine.config import load_config
from vitrine.domain.events import Event
from vitrine.domain.items import ItemKeys
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.subject import Subject
from vitrine.profile.columns import to_profile
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.wire import profile_bytes
from vitrine.wire.profile_bytes import ProfileBytes
from vitrine.wire.profiles import profile_to_proto

NOW = 1_700_000_000.0
RULES = Rules.of(load_config().profile)
ANN = Subject("ann")


def profile(events: int, subject: Subject = ANN) -> Profile:
    state = ProfileState()
    for n in range(events):
        event = Event(
            event_id=f"{n}", subject=subject.key, item_id=f"item {n % 40}", type=2 + n % 5, time=NOW + n
        )
        state.apply(event, ItemKeys(("All", f"All > {n % 7}"), "brand", "3"), RULES)
        state.version = n + 1
    return to_profile(state, RULES, subject, watermark=events)


def read(kept: ProfileBytes, one: Profile, now: float = NOW) -> profile_pb2.Profile:
    assert one.subject is not None
    return profile_pb2.GetProfileResponse.FromString(
        kept.answer(one.subject, one, now, kept.erasures)
    ).profile


@pytest.mark.parametrize("events", [0, 1, 90])
def test_what_is_kept_is_the_same_message_to_the_last_byte(events: int) -> None:
    kept = ProfileBytes()
    for watermark in (events, 1_000, 5_000_000, 1_000):
        one = replace(profile(events), watermark=watermark)
        for now in (NOW, NOW + 200 * DAY, NOW):
            anew = profile_pb2.GetProfileResponse(profile=profile_to_proto(one, now))
            for _ in range(2):
                assert kept.answer(ANN, one, now, kept.erasures) == anew.SerializeToString()


def test_answers_one_after_the_other_are_that_of_a_batch() -> None:
    kept = ProfileBytes()
    people = [Subject("ann"), Subject("bob", anonymous=True), Subject("nobody")]
    found = [profile(events, who) for events, who in zip((3, 90, 0), people, strict=True)]
    batch = profile_pb2.BatchGetProfilesResponse(profiles=[profile_to_proto(one, NOW) for one in found])
    answers = [kept.answer(who, one, NOW, kept.erasures) for who, one in zip(people, found, strict=True)]
    assert b"".join(answers) == batch.SerializeToString()


def test_another_version_is_converted_anew_and_the_same_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ProfileBytes()
    asked: list[int] = []

    def convert(one: Profile, now: float) -> profile_pb2.Profile:
        asked.append(one.version)
        return profile_to_proto(one, now)

    monkeypatch.setattr(profile_bytes, "profile_to_proto", convert)
    for events in (3, 3, 4, 4, 3):
        assert read(kept, profile(events)).event_count == events
        assert read(kept, replace(profile(events), watermark=77)).watermark == "w-4d"
    assert asked == [3, 4, 3]


def test_who_is_erased_is_forgotten() -> None:
    kept = ProfileBytes()
    read(kept, profile(5))
    assert len(kept) > 0
    kept.drop(ANN)
    assert len(kept) == 0
    read(kept, profile(5))
    # An empty profile takes the place of one from before.
    assert read(kept, profile(0)).event_count == 0
    assert len(kept) == 0


def test_who_is_erased_while_an_answer_is_made_does_not_stay() -> None:
    kept = ProfileBytes()
    since, one = kept.erasures, profile(5)
    kept.drop(ANN)
    kept.answer(ANN, one, NOW, since)
    assert len(kept) == 0


def test_what_is_kept_is_bounded_and_the_oldest_goes() -> None:
    size = len(profile_to_proto(profile(40), NOW).SerializeToString()) + profile_bytes.ENTRY_BYTES + 80
    kept = ProfileBytes(capacity=10 * size)
    for n in range(50):
        read(kept, profile(40, Subject(f"{n}")))
        assert len(kept) <= 10 * size
    assert len(kept) > 8 * size


def test_an_entry_goes_with_what_it_came_with_whatever_its_identifier() -> None:
    kept, one = ProfileBytes(capacity=20_000), profile(1)
    for n in range(2_000):
        # Converting it encodes the identifier, and Python keeps that beside it.
        subject = Subject(f"Käuferin № {n}")
        kept.answer(subject, replace(one, subject=subject), NOW, kept.erasures)
    full = len(kept._kept)
    assert 20 < full < 50
    for n in range(2_000 - full, 2_000):
        kept.drop(Subject(f"Käuferin № {n}"))
    assert len(kept) == 0


@pytest.mark.parametrize(("events", "count"), [(1, 6_000), (90, 1_000)])
def test_the_bound_is_one_of_memory(events: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    message = profile_to_proto(profile(events), NOW)
    monkeypatch.setattr(profile_bytes, "profile_to_proto", lambda *_: message)
    one = profile(events)
    kept = ProfileBytes(capacity=2_000_000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(count):
            # Versions, watermarks and identifiers of their own, as those of a shop are.
            known = replace(one, version=10_000 + n, watermark=20_000 + n)
            kept.answer(Subject(f"shopper {n}"), known, NOW, kept.erasures)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.9 * 2_000_000 < len(kept) <= 2_000_000
    assert 0.85 * len(kept) < taken < 1.1 * len(kept)
