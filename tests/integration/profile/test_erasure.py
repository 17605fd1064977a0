"""Erasing a shopper: nothing is left in the files, and nothing brings them back."""

from contextlib import closing
from pathlib import Path

import pytest

from vitrine.config import load_config
from vitrine.domain.events import Event, EventStatus
from vitrine.domain.subject import Subject
from vitrine.profile import Profiles

NOW = 1_700_000_000.0
SECRET = "shopper-7f3a9c-secret"
ERASED = Subject(SECRET)


def open_store(folder: Path) -> Profiles:
    return Profiles.open(folder, load_config(), lambda _: None, lambda: NOW)


def events(subject: str, count: int, start: float = NOW - 1000.0) -> list[Event]:
    return [
        Event(
            event_id=f"{subject} {n}",
            subject=subject,
            item_id=f"item {n % 50}",
            type=2,
            time=start + n,
            text=f"written by {SECRET}" if subject == ERASED.key else "x" * 50,
        )
        for n in range(count)
    ]


def traces(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if SECRET.encode() in file.read_bytes()]


@pytest.mark.parametrize("restart", [False, True])
def test_nothing_of_the_shopper_is_left_in_the_files(tmp_path: Path, restart: bool) -> None:
    store = open_store(tmp_path)
    mine = events(ERASED.key, 700)
    others = [one for n in range(40) for one in events(f"u:other {n}", 20)]
    for start in range(0, 700, 35):
        store.record(others[start : start + 35] + mine[start : start + 35]).result()
    store.record(others).result()
    assert traces(tmp_path)
    if restart:
        store.close()
        assert traces(tmp_path) == ["profile.db"]
        store = open_store(tmp_path)
    with closing(store):
        assert store.delete(ERASED) == 700
        assert traces(tmp_path) == []
        assert store.get(ERASED).event_count == 0
        assert [p.event_count for p in store.batch_get([Subject(f"other {n}") for n in range(40)])] == [
            20
        ] * 40
        assert store.activity(0, 10_000).item_ids.count("item 19") == 40
        assert store.delete(ERASED) == 0


def test_a_replay_does_not_bring_the_shopper_back(tmp_path: Path) -> None:
    mine = events(ERASED.key, 10)
    ahead = events(ERASED.key, 1, NOW + 200)[0]
    ahead = Event(event_id="ahead", subject=ERASED.key, item_id="i", type=2, time=ahead.time)
    with closing(open_store(tmp_path)) as store:
        store.record([*mine, ahead]).result()
        watermark = store.watermark
        store.delete(ERASED)
    with closing(open_store(tmp_path)) as store:
        assert store.watermark == watermark
        for backfill in (False, True):
            verdicts = store.record([*mine, ahead], backfill=backfill).result().verdicts
            assert {verdict.status for verdict in verdicts} == {EventStatus.REJECTED}
            assert verdicts[3].field == "events[3].time"
            assert "erased" in verdicts[3].message
        assert store.get(ERASED).event_count == 0
        # A new beginning is allowed.
        new = Event(event_id="new", subject=ERASED.key, item_id="i", type=2, time=NOW + 201)
        recorded = store.record([new]).result()
        assert recorded.verdicts[0].status is EventStatus.ACCEPTED
        assert recorded.watermark == watermark + 1
        assert store.get(ERASED).event_count == 1


def test_erasing_waits_for_a_reader_that_holds_an_old_snapshot(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        store.record(events(ERASED.key, 50)).result()
        connection = store._readers._connection()
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM log").get  # noqa: B018 (starts the snapshot)
        erasing = store.erase(ERASED)
        with pytest.raises(TimeoutError):
            erasing.result(timeout=0.3)
        connection.execute("COMMIT")
        assert erasing.result(timeout=20) == 50
        assert traces(tmp_path) == []
