"""A stored profile that makes no sense: it is counted again from the log, harms nobody else, and can be erased."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.profile.damages import (
    ANN,
    BOB,
    DAMAGES,
    ahead_of_the_log,
    filled,
    harm,
    open_store,
    stored,
)
from tests.integration.profile.shop import (
    NOW,
    PEOPLE,
    Shop,
    answered,
    as_after_a_kill,
    make_events,
)
from vitrine.domain.events import Event, EventStatus
from vitrine.profile import lag

damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


@damages
@pytest.mark.parametrize("waiting", [False, True])
def test_who_has_a_damaged_profile_can_be_erased(
    tmp_path: Path, damage: Callable[[bytes], Any], waiting: bool
) -> None:
    filled(tmp_path)
    harm(tmp_path, damage, ANN)
    with closing(open_store(tmp_path)) as store:
        if waiting:
            more = Event(event_id="more", subject=ANN.key, item_id="lamp", type=2, time=NOW)
            assert store.record([more]).result().verdicts[0].status is EventStatus.ACCEPTED
        log = store._store.connection
        count: int = log.execute("SELECT count(*) FROM log WHERE subject = 'default/u:0'").get
        assert store.delete(ANN) == count > 10
        assert log.execute("SELECT count(*) FROM log WHERE subject = 'default/u:0'").get == 0
        assert store.get(ANN).event_count == 0
    assert b"default/u:0" not in (tmp_path / "profile.db").read_bytes()


@damages
def test_a_call_with_an_event_of_one_whose_profile_is_damaged_is_recorded_whole(
    tmp_path: Path, damage: Callable[[bytes], Any]
) -> None:
    whole = filled(tmp_path)
    harm(tmp_path, damage, ANN)
    shop = Shop()
    shop.asked = whole.shop.asked
    with closing(open_store(tmp_path, shop, cache_profiles=0)) as store:
        for start in range(1_000, 1_400, 20):
            events = make_events(random.Random(start), start, 20)
            verdicts = store.record(events).result().verdicts
            assert {verdict.status for verdict in verdicts} == {EventStatus.ACCEPTED}
            whole.record(events)
        assert answered(store) == whole.answered()
        kill = as_after_a_kill(tmp_path, tmp_path / "killed")
    with closing(open_store(kill)) as store:
        assert answered(store) == whole.answered()


@damages
@pytest.mark.parametrize("cached", [0, 1000])
def test_damaged_profiles_are_answered_from_the_log_to_the_last_bit(
    tmp_path: Path, damage: Callable[[bytes], Any], cached: int, caplog: pytest.LogCaptureFixture
) -> None:
    whole = filled(tmp_path)
    sound = stored(tmp_path)
    harm(tmp_path, damage, ANN, BOB)
    with closing(open_store(tmp_path, cache_profiles=cached)) as store:
        assert answered(store) == whole.answered()
        assert caplog.text.count("counted again from its") == 2
    # They are mended on disk as well.
    assert stored(tmp_path) == sound


def test_a_version_from_after_the_end_of_the_log_does_not_hide_events(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    harm(tmp_path, ahead_of_the_log, ANN)
    events = [Event(event_id="more", subject=ANN.key, item_id="unknown", type=2, time=NOW)]
    with closing(open_store(tmp_path)) as store:
        store.record(events).result()
        whole.record(events)
        assert answered(store) == whole.answered()
        assert store.delete(ANN) == whole.states[ANN.key].event_count


@pytest.mark.parametrize("cached", [0, 1000])
def test_no_version_from_after_the_end_of_the_log_waits_behind_others_that_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: int
) -> None:
    monkeypatch.setattr(lag, "MAX_MENDED", 1)
    whole = filled(tmp_path)
    harm(tmp_path, ahead_of_the_log, *PEOPLE)
    events = [
        Event(event_id=f"more {n}", subject=who.key, item_id="unknown", type=2, time=NOW)
        for n, who in enumerate(PEOPLE)
    ]
    with closing(open_store(tmp_path, cache_profiles=cached)) as store:
        store.record(events).result()
        whole.record(events)
        assert answered(store) == whole.answered()


def test_the_next_event_follows_the_last_one_of_a_profile_that_was_mended(tmp_path: Path) -> None:
    filled(tmp_path)
    harm(tmp_path, lambda state: state[:4] + bytes([state[4] - 1]) + state[5:], ANN)
    with closing(open_store(tmp_path, cache_profiles=0)) as store:
        version = store.get(ANN).version
        more = Event(event_id="more", subject=ANN.key, item_id="lamp", type=2, time=NOW)
        seq = store.record([more]).result().watermark
        assert store._store.connection.execute("SELECT prev FROM log WHERE seq = ?", (seq,)).get == version
