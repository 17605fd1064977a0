"""A stored profile that makes no sense: it is counted again from the log, harms nobody else, and can be erased."""

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import apsw
import msgspec
import pytest

from tests.integration.profile.shop import (
    NOW,
    PEOPLE,
    Shop,
    Whole,
    answered,
    as_after_a_kill,
    config,
    make_events,
)
from vitrine.config import load_config
from vitrine.domain.events import Event, EventStatus
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.errors import Unavailable
from vitrine.profile import Profiles, book, lag, memory, mending, recovery
from vitrine.profile.store import select_events

ANN, BOB = PEOPLE[:2]


def cells_too_many(state: bytes) -> bytes:
    fields: list[Any] = msgspec.msgpack.decode(state)
    fields[7] += bytes(8)
    return msgspec.msgpack.encode(fields)


def other_names(names: list[str]) -> Callable[[bytes], bytes]:
    def damage(state: bytes) -> bytes:
        fields: list[Any] = msgspec.msgpack.decode(state)
        fields[6] = names
        return msgspec.msgpack.encode(fields)

    return damage


def no_such_item_in_the_basket(state: bytes) -> bytes:
    fields: list[Any] = msgspec.msgpack.decode(state)
    fields[21] = {"nowhere": [(NOW, 1.0)]}
    return msgspec.msgpack.encode(fields)


def a_recent_time_too_few(state: bytes) -> bytes:
    fields: list[Any] = msgspec.msgpack.decode(state)
    fields[18] = fields[18][:-8]
    return msgspec.msgpack.encode(fields)


def no_such_type(state: bytes) -> bytes:
    fields: list[Any] = msgspec.msgpack.decode(state)
    fields[17] = b"\xc8" + fields[17][1:]
    return msgspec.msgpack.encode(fields)


def ahead_of_the_log(state: bytes) -> bytes:
    fields: list[Any] = msgspec.msgpack.decode(state)
    fields[1] = 10**12
    return msgspec.msgpack.encode(fields)


# Stored as text all the same.
NO_TEXT = b"\xff\xfe\xfd"

DAMAGES: dict[str, Callable[[bytes], Any]] = {
    "empty": lambda _: b"",
    "not MessagePack": lambda _: b"\xc1",
    "half": lambda state: state[: len(state) // 2],
    "text": lambda _: "a profile",
    "text that is no UTF-8": lambda _: NO_TEXT,
    "a number": lambda _: 7,
    "the head alone": lambda _: msgspec.msgpack.encode([1, 3, "damage"]),
    "no UTF-8 in a list": lambda state: state.replace(b"lamp", b"\xff\xfe\xfd\xfc"),
    "no UTF-8 in the basket": lambda state: state.replace(b"vase", b"\xff\xfe\xfd\xfc"),
    "lists without end": lambda _: b"\xdc\x00\x16\x01\xc0" + b"\x91" * 100_000,
    "cells too many": cells_too_many,
    "names too few": other_names(["lamp"]),
    "names too many": other_names([f"{n}" for n in range(9)]),
    "another item": no_such_item_in_the_basket,
    "a recent time too few": a_recent_time_too_few,
    "a recent event of no type": no_such_type,
    "another format": lambda state: state[:3] + b"\x7f" + state[4:],
}
damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


def view(event_id: str, who: Subject) -> Event:
    return Event(event_id=event_id, subject=who.key, item_id="lamp", type=2, time=NOW)


def open_store(folder: Path, shop: Shop | None = None, **profile: float) -> Profiles:
    return Profiles.open(folder, config(**profile), (shop or Shop()).keys, lambda: NOW)


def filled(folder: Path, count: int = 120) -> Whole:
    """A store with a history of everybody, and what it answers."""
    whole, shop = Whole(), Shop()
    events = make_events(random.Random(11), 0, count)
    with closing(open_store(folder, shop)) as store:
        for start in range(0, count, 10):
            store.record(events[start : start + 10]).result()
            whole.record(events[start : start + 10])
    return whole


def harm(folder: Path, damage: Callable[[bytes], Any], *subjects: Subject) -> None:
    with closing(apsw.Connection(str(folder / "profile.db"))) as connection:
        for subject in subjects:
            key = ("default/" + subject.key,)
            state: bytes = connection.execute("SELECT state FROM profiles WHERE subject = ?", key).get
            damaged = damage(state)
            assert damaged != state
            connection.execute("UPDATE profiles SET state = ?2 WHERE subject = ?1", (*key, damaged))
            if damaged == NO_TEXT:
                connection.execute("UPDATE profiles SET state = CAST(state AS TEXT) WHERE subject = ?", key)


def stored(folder: Path) -> dict[str, bytes]:
    with closing(apsw.Connection(str(folder / "profile.db"))) as connection:
        return dict(connection.execute("SELECT subject, state FROM profiles"))


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


def test_the_log_is_read_once_for_all_damaged_profiles_of_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = filled(tmp_path)
    asked: list[Sequence[str]] = []

    def select(connection: apsw.Connection, subjects: Sequence[str]) -> Iterable[tuple[str, int, bytes, int]]:
        asked.append(subjects)
        return select_events(connection, subjects)

    monkeypatch.setattr(mending, "select_events", select)
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    harm(tmp_path, lambda _: b"", ANN)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("DELETE FROM log WHERE subject = 'default/u:0'")
    asked: list[Sequence[str]] = []

    def select(connection: apsw.Connection, subjects: Sequence[str]) -> Iterable[tuple[str, int, bytes, int]]:
        asked.append(subjects)
        return select_events(connection, subjects)

    monkeypatch.setattr(mending, "select_events", select)
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


def test_where_the_log_is_damaged_too_all_is_recorded_and_others_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, shop = filled(tmp_path), Shop()
    shop.asked = whole.shop.asked
    harm(tmp_path, lambda _: b"", ANN)
    monkeypatch.setattr(lag, "_MAX_SPAN", 0)
    monkeypatch.setattr(recovery, "MAX_ROWS", 3)
    asked = []

    def select(_: apsw.Connection, subjects: Sequence[str]) -> NoReturn:
        asked.append(subjects)
        raise apsw.CorruptError("database disk image is malformed")

    with closing(open_store(tmp_path, shop)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(mending, "select_events", select)
            for start in range(1_000, 1_200, 10):
                events = make_events(random.Random(start), start, 10)
                verdicts = store.record(events).result().verdicts
                assert {verdict.status for verdict in verdicts} == {EventStatus.ACCEPTED}
                whole.record(events)
            assert len(asked) == 1
            with pytest.raises(Unavailable):
                store.get(ANN)
            assert store.get(BOB).event_count == whole.states[BOB.key].event_count
        kill = as_after_a_kill(tmp_path, tmp_path / "killed")
        # It was the weather: what a reader can count again is written again.
        assert answered(store) == whole.answered()
        store.record([]).result()
        assert store.delete(ANN) == whole.states.pop(ANN.key).event_count
    with closing(open_store(kill)) as store:
        assert store.get(BOB).event_count == whole.states[BOB.key].event_count


def test_a_time_that_is_none_in_the_log_does_not_stop_the_recording(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        blob: bytes = connection.execute("SELECT event FROM log WHERE seq = 5").get
        event: list[Any] = msgspec.msgpack.decode(blob)
        event[3:5] = 6, 1e300
        subject: str = connection.execute("SELECT subject FROM log WHERE seq = 5").get
        connection.execute("UPDATE log SET event = ? WHERE seq = 5", (msgspec.msgpack.encode(event),))
    who = Subject.from_key(subject.partition("/")[2])
    harm(tmp_path, lambda _: b"", who)
    with closing(open_store(tmp_path)) as store:
        assert store.record([view("more", who)]).result().verdicts[0].status is EventStatus.ACCEPTED
        assert store.get(who).event_count == whole.states[who.key].event_count


def test_a_look_into_memory_never_reads_the_log(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    harm(tmp_path, lambda _: b"", ANN)
    with closing(open_store(tmp_path)) as store:
        cache = store._answers._cache
        cache.fill("default/u:0", cache.begin("default/u:0"), b"", ())
        assert store.peek(ANN) is None
        assert store.get(ANN).event_count == whole.states[ANN.key].event_count
        assert store.peek(ANN) is not None


def test_a_version_from_after_the_end_of_the_log_does_not_hide_events(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    harm(tmp_path, ahead_of_the_log, ANN)
    events = [Event(event_id="more", subject=ANN.key, item_id="unknown", type=2, time=NOW)]
    with closing(open_store(tmp_path)) as store:
        store.record(events).result()
        whole.record(events)
        assert answered(store) == whole.answered()
        assert store.delete(ANN) == whole.states[ANN.key].event_count


def test_an_erasure_searches_the_log_where_the_profile_leads_to_too_few_events(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    events = whole.states[ANN.key].event_count
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("UPDATE log SET prev = 0 WHERE subject = 'default/u:0' AND seq > 60")
    with closing(open_store(tmp_path)) as store:
        assert store.delete(ANN) == events
    assert b"default/u:0" not in (tmp_path / "profile.db").read_bytes()


def test_what_the_log_has_lost_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = filled(tmp_path)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        mine: list[Any] = connection.execute("SELECT seq FROM log WHERE subject = 'default/u:0'").fetchall()
        broken = [seq for (seq,) in mine[2:4]]
        connection.execute("UPDATE log SET event = x'96a3313233c1' WHERE seq = ?", broken[:1])
        connection.execute("UPDATE log SET event = CAST(x'fffe' AS TEXT) WHERE seq = ?", broken[1:])
    harm(tmp_path, lambda _: b"", ANN)
    with closing(open_store(tmp_path)) as store:
        profiles = store.batch_get(PEOPLE)
        assert profiles[0].event_count == len(mine) - 2
        assert [p.event_count for p in profiles[1:]] == [
            whole.states[p.key].event_count if p.key in whole.states else 0 for p in PEOPLE[1:]
        ]
        assert (
            f"2 more of its events cannot be read and do not count, the first has the number {broken[0]}"
            in caplog.text
        )
        # A watch goes on after them.
        assert store.activity(0, 1_000).cursor == 120
        assert store.delete(ANN) == len(mine)


def test_an_event_whose_keys_are_no_longer_known_counts_under_those_of_today(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("DELETE FROM item_keys")
    harm(tmp_path, lambda _: b"", ANN)
    today = ItemKeys(("Today",), "brand", "1")
    with closing(Profiles.open(tmp_path, load_config(), lambda _: today, lambda: NOW)) as store:
        assert store.get(ANN).categories.keys == ("Today",)
        assert "count under category, brand and price of today" in caplog.text


def test_the_store_keeps_no_more_keys_than_it_may_and_those_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MAX_WAITING", 40)
    monkeypatch.setattr(book, "CAPACITY", 10)
    monkeypatch.setattr(book, "MAX_STORED", 100)
    monkeypatch.setattr(book, "STEP", 5)
    monkeypatch.setattr(memory, "FLOOR_STEP", 1)
    prices = random.Random(3)

    def keys(item: str) -> ItemKeys:
        return ItemKeys(("All",), item, "1" if item == "steady" else str(prices.randrange(10**6)))

    folder, killed = tmp_path / "store", tmp_path / "killed"
    with closing(Profiles.open(folder, load_config(), keys, lambda: NOW)) as store:
        connection = store._store.connection
        for n in range(400):
            store.record(
                [
                    Event(event_id=f"{n} {item}", subject=f"u:{n % 50}", item_id=item, type=2, time=NOW)
                    for item in ("steady", "a", "b")
                ]
            ).result()
            assert connection.execute("SELECT count(*) FROM item_keys").get <= 100 + 3 * 5
        before = [profile.brands.keys for profile in store.batch_get([Subject(f"{n}") for n in range(50)])]
        as_after_a_kill(folder, killed)
    with closing(Profiles.open(killed, load_config(), keys, lambda: NOW)) as store:
        assert len(store._lag) > 0
        again = [profile.brands.keys for profile in store.batch_get([Subject(f"{n}") for n in range(50)])]
        assert again == before
