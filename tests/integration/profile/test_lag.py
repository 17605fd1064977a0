"""Profiles and keys on disk may lag behind the log: nobody can tell, not even after a crash."""

import random
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.integration.profile.shop import (
    NOW,
    PEOPLE,
    RULES,
    Shop,
    Whole,
    answered,
    as_after_a_kill,
    config,
    make_events,
)
from vitrine.config import load_config
from vitrine.domain.events import EventStatus
from vitrine.errors import Unavailable
from vitrine.profile import Profiles, book, memory, recovery
from vitrine.profile.columns import to_profile
from vitrine.profile.encoding import decode_state
from vitrine.profile.state import ProfileState


@pytest.fixture(name="small", autouse=True)
def small_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little may wait that all of it is written now and then, and so little is remembered that it is forgotten."""
    monkeypatch.setattr(recovery, "MAX_ROWS", 4)
    monkeypatch.setattr(recovery, "MAX_WAITING", 12)
    monkeypatch.setattr(recovery, "MAX_KEYS", 20)
    monkeypatch.setattr(recovery, "CAPACITY", 5)
    monkeypatch.setattr(book, "CAPACITY", 5)
    monkeypatch.setattr(book, "MAX_STORED", 8)
    monkeypatch.setattr(book, "STEP", 2)
    monkeypatch.setattr(memory, "FLOOR_STEP", 1)


@pytest.mark.parametrize("cached", [0, 2, 1000])
@pytest.mark.parametrize("seed", range(8))
def test_a_profile_that_lags_answers_what_one_written_whole_does_to_the_last_bit(
    tmp_path: Path, seed: int, cached: int
) -> None:
    chance = random.Random(seed)
    folder, whole, shop = tmp_path / "store", Whole(), Shop()
    store = Profiles.open(folder, config(cache_profiles=cached), shop.keys, lambda: NOW)
    sent = 0
    for step in range(12):
        events = make_events(chance, sent, chance.randint(1, 15))
        sent += len(events)
        verdicts = store.record(events).result().verdicts
        assert {verdict.status for verdict in verdicts} == {EventStatus.ACCEPTED}
        whole.record(events)
        what = chance.random()
        if what < 0.4:
            assert answered(store) == whole.answered()
        elif what < 0.6:
            store.get(chance.choice(PEOPLE))
        elif what < 0.8:
            if chance.random() < 0.5:
                killed = as_after_a_kill(folder, tmp_path / f"killed {step}")
                store.close()
                folder = killed
            else:
                store.close()
            store = Profiles.open(folder, config(cache_profiles=cached), shop.keys, lambda: NOW)
            if chance.random() < 0.5:
                again = make_events(random.Random(0), 0, sent)
                statuses = {verdict.status for verdict in store.record(again).result().verdicts}
                assert statuses == {EventStatus.DUPLICATE}
    with closing(store):
        assert answered(store) == whole.answered()


def test_profiles_and_keys_do_lag_and_are_brought_up_to_date(tmp_path: Path) -> None:
    chance = random.Random(1)
    with closing(Profiles.open(tmp_path, load_config(), Shop().keys, lambda: NOW)) as store:
        for start in range(0, 300, 10):
            store.record(make_events(chance, start, 10)).result()
        connection = store._store.connection
        stored: list[Any] = connection.execute("SELECT state FROM profiles").fetchall()
        assert 0 < 300 - sum(decode_state(blob).event_count for (blob,) in stored) <= 12 + 2 * 10
        assert 0 < 300 - connection.execute("SELECT count(*) FROM event_keys").get <= 20 + 2 * 10
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        written: list[Any] = connection.execute("SELECT state FROM profiles").fetchall()
        assert sum(decode_state(blob).event_count for (blob,) in written) == 300
        assert connection.execute("SELECT count(*) FROM event_keys").get == 300
        floors = dict(connection.execute("SELECT name, value FROM meta WHERE name LIKE '%_floor'"))
        assert floors == {"profiles_floor": 300, "keys_floor": 300}


def test_no_floor_lies_above_what_is_on_disk(tmp_path: Path) -> None:
    chance = random.Random(2)
    risen: set[int] = set()
    with closing(Profiles.open(tmp_path, load_config(), Shop().keys, lambda: NOW)) as store:
        connection = store._store.connection
        for start in range(0, 1_500, 10):
            events = make_events(chance, start, 10)
            store.record(events).result()
            floors = dict(connection.execute("SELECT name, value FROM meta WHERE name LIKE '%_floor'"))
            risen.add(floors["keys_floor"])
            assert connection.execute("SELECT count(*) FROM event_keys").get >= floors["keys_floor"]
            stored: list[Any] = connection.execute("SELECT subject, state FROM profiles").fetchall()
            versions = {subject: decode_state(blob).version for subject, blob in stored}
            for subject, last in connection.execute(
                "SELECT subject, max(seq) FROM log WHERE seq <= ? GROUP BY subject",
                (floors["profiles_floor"],),
            ):
                assert versions[subject] >= last
    assert len(risen) > 10


@pytest.mark.parametrize("killed", [False, True])
def test_events_count_by_the_rules_under_which_they_were_recorded(tmp_path: Path, killed: bool) -> None:
    chance, whole = random.Random(3), Whole()
    folder = tmp_path / "store"
    events = make_events(chance, 0, 11)
    store = Profiles.open(folder, load_config(), Shop().keys, lambda: NOW)
    store.record(events).result()
    whole.record(events)
    copy = as_after_a_kill(folder, tmp_path / "killed")
    store.close()
    changed = config(long_half_life_days=3)
    with closing(Profiles.open(copy if killed else folder, changed, Shop().keys, lambda: NOW)) as store:
        for subject, profile in zip(PEOPLE, store.batch_get(PEOPLE), strict=True):
            expected = whole.states.get(subject.key, ProfileState())
            assert (
                profile.items.long_term.tolist()
                == to_profile(expected, RULES, subject).items.long_term.tolist()
            )
            assert profile.long_half_life == 3 * 86_400


def test_who_is_erased_while_events_wait_stays_erased_after_a_crash(tmp_path: Path) -> None:
    chance = random.Random(4)
    folder = tmp_path / "store"
    events = make_events(chance, 0, 40)
    mine = [event for event in events if event.subject == PEOPLE[0].key]
    with closing(Profiles.open(folder, load_config(), Shop().keys, lambda: NOW)) as store:
        for start in range(0, 40, 5):
            store.record(events[start : start + 5]).result()
        assert store.delete(PEOPLE[0]) == len(mine) > 0
        before = answered(store)
        copy = as_after_a_kill(folder, tmp_path / "killed")
    with closing(Profiles.open(copy, load_config(), Shop().keys, lambda: NOW)) as store:
        assert answered(store) == before
        assert store.get(PEOPLE[0]).event_count == 0
        verdicts = store.record(events).result().verdicts
        rejected = [e for e, v in zip(events, verdicts, strict=True) if v.status is EventStatus.REJECTED]
        assert rejected == mine
        assert {v.status for v in verdicts} == {EventStatus.REJECTED, EventStatus.DUPLICATE}
        assert store.delete(PEOPLE[1]) == sum(event.subject == PEOPLE[1].key for event in events)


def test_a_store_whose_memory_went_wrong_refuses_instead_of_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = make_events(random.Random(5), 0, 30)
    with closing(Profiles.open(tmp_path, load_config(), Shop().keys, lambda: NOW)) as store:
        store.record(events[:10]).result()
        monkeypatch.setattr(store._lag, "add", None)
        with pytest.raises(Unavailable, match="restart"):
            store.record(events[10:20]).result(timeout=10)
        with pytest.raises(Unavailable):
            store.record(events[20:]).result(timeout=10)
    monkeypatch.undo()
    with closing(Profiles.open(tmp_path, load_config(), Shop().keys, lambda: NOW)) as store:
        statuses = [verdict.status for verdict in store.record(events).result().verdicts]
        assert statuses == [EventStatus.DUPLICATE] * 20 + [EventStatus.ACCEPTED] * 10
        assert sum(profile.event_count for profile in store.batch_get(PEOPLE)) == 30
