"""How often the whole log is read for profiles that make no sense."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.integration.profile.damages import ANN, BOB, DAMAGES, filled, harm, open_store, stored, view
from tests.integration.profile.shop import (
    NOW,
    PEOPLE,
    answered,
    as_after_a_kill,
)
from vitrine.domain.events import Event
from vitrine.profile import mender, mending, recovery
from vitrine.profile.store import select_events


@pytest.fixture(name="asked")
def asked_fixture(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Of whom the events were searched for, each time that the log was read."""
    asked: list[Sequence[str]] = []

    def select(connection: apsw.Connection, subjects: Sequence[str]) -> Iterable[tuple[str, int, bytes, int]]:
        asked.append(subjects)
        return select_events(connection, subjects)

    monkeypatch.setattr(mending, "select_events", select)
    return asked


def test_the_log_is_read_once_for_all_damaged_profiles_of_a_call(
    tmp_path: Path, asked: list[Sequence[str]]
) -> None:
    whole = filled(tmp_path)
    for reading in (True, False):
        harm(tmp_path, lambda _: b"", *PEOPLE)
        asked.clear()
        with closing(open_store(tmp_path)) as store:
            if not reading:
                events = [
                    Event(event_id=f"more {n}", subject=who.key, item_id="unknown", type=2, time=NOW)
                    for n, who in enumerate(PEOPLE)
                ]
                store.record(events).result()
                whole.record(events)
            assert answered(store) == whole.answered()
            assert [len(subjects) for subjects in asked] == [len(PEOPLE)]


def test_a_damaged_profile_without_events_is_empty_and_the_log_is_not_read_for_it_again_and_again(
    tmp_path: Path, asked: list[Sequence[str]]
) -> None:
    filled(tmp_path)
    harm(tmp_path, lambda _: b"", ANN)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("DELETE FROM log WHERE subject = 'default/u:0'")
    with closing(open_store(tmp_path, cache_profiles=0)) as store:
        for n in range(5):
            assert store.get(ANN).event_count == 0
            store.record([view(f"more {n}", BOB)]).result()
        # Once for the reader, once to write it.
        assert len(asked) == 2
        assert store.delete(ANN) == 0
        # A reader that found it damaged says so late.
        store._lag.mark("default/u:0")
        store.record([view("last", BOB)]).result()
        assert len(asked) == 2
        assert not store._lag.marked("default/u:0")
    assert "default/u:0" not in stored(tmp_path)


def test_a_look_into_memory_never_reads_the_log(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    harm(tmp_path, lambda _: b"", ANN)
    with closing(open_store(tmp_path)) as store:
        cache = store._answers._cache
        cache.fill("default/u:0", cache.begin("default/u:0"), b"", ())
        assert store.peek(ANN) is None
        assert store.get(ANN).event_count == whole.states[ANN.key].event_count
        assert store.peek(ANN) is not None


@pytest.mark.parametrize("known", [False, True])
def test_of_many_damaged_profiles_those_found_while_the_log_is_left_alone_are_mended_together_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[Sequence[str]], known: bool
) -> None:
    monkeypatch.setattr(mender, "SHORT_SECONDS", -1.0)
    monkeypatch.setattr(mender, "REST", 1e12)
    monkeypatch.setattr(recovery, "MAX_ROWS", 2)
    whole = filled(tmp_path)
    damage = DAMAGES["a bit of an interest"] if known else DAMAGES["half"]
    harm(tmp_path, damage, *PEOPLE)
    with closing(open_store(tmp_path)) as store:
        for n in range(3):
            for who in PEOPLE:
                events = [
                    Event(event_id=f"more {who.id} {n}", subject=who.key, item_id="unknown", type=2, time=NOW)
                ]
                store.record(events).result()
                whole.record(events)
        assert [len(subjects) for subjects in asked] == [1]
        store._writer._memory.mender._rests_until = 0.0
        store.record([]).result()
        assert [len(subjects) for subjects in asked] == [1, len(PEOPLE) - 1]
        assert answered(store) == whole.answered()
        assert len(asked) == 2
        killed = as_after_a_kill(tmp_path, tmp_path / "killed")
    with closing(open_store(killed)) as store:
        assert answered(store) == whole.answered()
        assert len(asked) == 2


def test_while_the_log_is_left_alone_damaged_profiles_are_answered_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[Sequence[str]]
) -> None:
    monkeypatch.setattr(mender, "SHORT_SECONDS", -1.0)
    monkeypatch.setattr(mender, "REST", 1e12)
    whole = filled(tmp_path)
    sound = stored(tmp_path)
    harm(tmp_path, DAMAGES["half"], *PEOPLE)
    with closing(open_store(tmp_path)) as store:
        more = [Event(event_id="more", subject=ANN.key, item_id="unknown", type=2, time=NOW)]
        store.record(more).result()
        whole.record(more)
        assert answered(store) == whole.answered()
        # The writing thread for one of them, a reader for the others.
        assert [len(subjects) for subjects in asked] == [1, len(PEOPLE) - 1]
        store.record([]).result()
        assert len(stored(tmp_path)["default/u:1"]) < len(sound["default/u:1"])
        assert store.delete(BOB) == whole.states[BOB.key].event_count
    # No later than when the store is closed.
    again = stored(tmp_path)
    assert {one: again[one] for one in again if one != "default/u:0"} == {
        one: sound[one] for one in sound if one not in ("default/u:0", "default/u:1")
    }
