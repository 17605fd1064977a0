"""Where the log, which profiles are counted again from, is not what it was either."""

import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import apsw
import msgspec
import pytest

from tests.integration.profile.damages import (
    ANN,
    BOB,
    DAMAGES,
    filled,
    harm,
    open_store,
    view,
)
from tests.integration.profile.shop import (
    PEOPLE,
    Shop,
    answered,
    as_after_a_kill,
    make_events,
)
from vitrine.domain.events import EventStatus
from vitrine.domain.subject import Subject
from vitrine.errors import Unavailable
from vitrine.profile import lag, mender, mending, recovery


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


def test_a_log_that_is_damaged_is_not_read_for_one_profile_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mender, "SHORT_SECONDS", -1.0)
    monkeypatch.setattr(mender, "REST", 1e12)
    monkeypatch.setattr(recovery, "MAX_ROWS", 2)
    whole, shop = filled(tmp_path), Shop()
    shop.asked = whole.shop.asked
    harm(tmp_path, DAMAGES["half"], *PEOPLE)
    asked = []

    def select(_: apsw.Connection, subjects: Sequence[str]) -> NoReturn:
        asked.append(subjects)
        raise apsw.CorruptError("database disk image is malformed")

    with closing(open_store(tmp_path, shop)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(mending, "select_events", select)
            for n in range(9):
                events = make_events(random.Random(n), 1_000 + 10 * n, 10)
                verdicts = store.record(events).result().verdicts
                assert {verdict.status for verdict in verdicts} == {EventStatus.ACCEPTED}
                whole.record(events)
        assert len(asked) == 1
        assert answered(store) == whole.answered()


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
