"""The profile store: what is acknowledged is on disk, counted once, and found again."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from vitrine.config import Config, load_config
from vitrine.domain.events import Activity, Event, EventStatus, EventType
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.errors import ConfigError, NotReady, Overloaded, Unavailable
from vitrine.profile import Profiles, Recorded, recovery
from vitrine.profile.commit import Batch
from vitrine.profile.jobs import JobQueue, RecordJob

NOW = 1_700_000_000.0
DAY = 86_400.0
ANN = Subject("ann")
A, D, R = EventStatus.ACCEPTED, EventStatus.DUPLICATE, EventStatus.REJECTED

Open = Callable[[], Profiles]


def keys(item: str) -> ItemKeys | None:
    return ItemKeys(("All", "All > " + item), "brand", "4")


def event(name: str, subject: str = "u:ann", item: str = "lamp", at: float = NOW, kind: int = 2) -> Event:
    return Event(event_id=name, subject=subject, item_id=item, type=kind, time=at)


def statuses(recorded: Recorded) -> list[EventStatus]:
    return [verdict.status for verdict in recorded.verdicts]


def config(**profile: float) -> Config:
    base = load_config()
    return base.model_copy(update={"profile": base.profile.model_copy(update=profile)})


@pytest.fixture(name="clock")
def clock_fixture() -> list[float]:
    return [NOW]


@pytest.fixture(name="reopen")
def reopen_fixture(tmp_path: Path, clock: list[float]) -> Iterator[Open]:
    """Opens the store, closing it first when it is open."""
    opened: list[Profiles] = []

    def reopen() -> Profiles:
        for one in opened:
            one.close()
        opened.append(Profiles.open(tmp_path / "store", load_config(), keys, lambda: clock[0]))
        return opened[-1]

    yield reopen
    for one in opened:
        one.close()


def test_an_event_counts_once_within_a_call_across_calls_and_across_restarts(reopen: Open) -> None:
    store = reopen()
    assert statuses(store.record([event("1"), event("2"), event("1")]).result()) == [A, A, D]
    assert statuses(store.record([event("2"), event("3")]).result()) == [D, A]
    before = store.get(ANN)
    store = reopen()
    assert statuses(store.record([event(n) for n in "1234"]).result()) == [D, D, D, A]
    assert (before.event_count, store.get(ANN).event_count) == (3, 4)
    assert store.get(ANN).items.views.tolist() == [4]
    assert store.get(ANN).version == store.watermark == 4


def test_the_same_event_id_in_calls_that_share_a_transaction_counts_once(reopen: Open) -> None:
    store = reopen()
    calls = [store.record([event("same"), event(f"own {n}")]) for n in range(50)]
    accepted = [call.result().verdicts[0].status for call in calls].count(A)
    assert accepted == 1
    assert store.get(ANN).event_count == 51


def test_an_acknowledged_event_is_in_every_later_read_and_in_the_activity(reopen: Open) -> None:
    store = reopen()
    seen: list[Activity] = []
    store.subscribe(seen.append)
    for n in range(5):
        recorded = store.record([event(f"{n}"), event(f"s{n}", item="", kind=EventType.SEARCH)]).result()
        assert sum(len(activity.item_ids) for activity in seen) == n + 1
        profile = store.get(ANN, recorded.watermark)
        assert profile.event_count == 2 * (n + 1)
        assert profile.watermark >= recorded.watermark
    assert seen[-1].cursor == store.watermark
    with pytest.raises(NotReady):
        store.get(ANN, store.watermark + 1)


def test_a_listener_that_fails_harms_nobody(reopen: Open) -> None:
    store = reopen()

    def fail(_: Activity) -> None:
        raise RuntimeError("listener")

    store.subscribe(fail)
    assert statuses(store.record([event("1")]).result()) == [A]


def test_the_time_of_an_event_must_lie_in_the_window(reopen: Open) -> None:
    store = reopen()
    call = [event("old", at=NOW - 7.1 * DAY), event("ok", at=NOW - 6.9 * DAY), event("new", at=NOW + 301)]
    recorded = store.record(call).result()
    assert statuses(recorded) == [R, A, R]
    assert [verdict.field for verdict in recorded.verdicts] == ["events[0].time", "", "events[2].time"]
    assert "backfill" in recorded.verdicts[0].message
    assert statuses(store.record(call, backfill=True).result()) == [A, D, R]


def test_batch_get_answers_in_order_with_repeats_and_strangers(reopen: Open) -> None:
    store = reopen()
    bob = Subject("ann", anonymous=True)
    store.record([event("1"), event("2", subject=bob.key), event("3", subject=bob.key)]).result()
    store = reopen()
    nobody = Subject("nobody")
    profiles = store.batch_get([bob, ANN, nobody, bob])
    assert [profile.event_count for profile in profiles] == [2, 1, 0, 2]
    assert [profile.subject for profile in profiles] == [bob, ANN, nobody, bob]
    store.record([event("4", subject=nobody.key)]).result()
    assert store.get(nobody).event_count == 1


def test_activity_is_read_from_the_log_without_subjects(reopen: Open) -> None:
    store = reopen()
    store.record([event(f"{n}", subject=f"u:{n}", item=f"i{n}") for n in range(25)]).result()
    store.record([event("search", item="", kind=7)]).result()
    found: list[str] = []
    cursor = 0
    while (part := store.activity(cursor, 10)).cursor > cursor:
        found += part.item_ids
        cursor = part.cursor
    assert found == [f"i{n}" for n in range(25)]
    assert cursor == store.watermark == 26


def stored_keys(directory: Path) -> int:
    with closing(apsw.Connection(str(directory / "profile.db"))) as connection:
        count: int = connection.execute("SELECT count(*) FROM event_keys").get
        return count


def test_an_event_is_known_for_as_long_as_it_stands_in_the_log(
    reopen: Open, clock: list[float], tmp_path: Path
) -> None:
    history = [event(f"h{n}", at=NOW - (400 - n) * DAY) for n in range(30)]
    live = [event(f"l{n}", at=NOW - n) for n in range(30)]
    store = reopen()
    assert statuses(store.record(history, backfill=True).result()) == [A] * 30
    assert statuses(store.record(live).result()) == [A] * 30
    for days in (9, 400):
        clock[0] = NOW + days * DAY
        store = reopen()
        # Some traffic, and a moment for whatever the writer does when it has nothing to do.
        fresh = event(f"fresh {days}", subject="u:bob", at=clock[0])
        assert statuses(store.record([fresh]).result()) == [A]
        time.sleep(0.1)
        assert statuses(store.record(history + live, backfill=True).result()) == [D] * 60
        assert statuses(store.record(live).result()) == [D] * 30
        assert store.get(ANN).event_count == 60
    assert store.delete(ANN) == 60
    store.close()
    assert stored_keys(tmp_path / "store") == 2


def test_a_store_has_one_owner(reopen: Open, tmp_path: Path) -> None:
    store = reopen()
    with pytest.raises(ConfigError, match="in use by another server"):
        Profiles.open(tmp_path / "store", load_config(), keys)
    store.close()
    Profiles.open(tmp_path / "store", load_config(), keys).close()


def test_two_shops_share_a_file_without_seeing_each_other(tmp_path: Path) -> None:
    one, other = load_config(), load_config().model_copy(update={"shop": "other"})
    for settings, count in ((one, 1), (other, 1), (one, 2)):
        with closing(Profiles.open(tmp_path, settings, keys, lambda: NOW)) as store:
            assert statuses(store.record([event(f"{count}", item=settings.shop)]).result()) == [A]
            assert store.get(ANN).event_count == count
            assert store.activity(0, 10).item_ids == [settings.shop] * count


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile.db").write_bytes(b"not a database " * 1000)
    with pytest.raises(ConfigError, match="is not a profile store"):
        Profiles.open(tmp_path, load_config(), keys)
    (tmp_path / "profile.db").unlink()
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("CREATE TABLE other(x)")
    with pytest.raises(ConfigError, match="another program"):
        Profiles.open(tmp_path, load_config(), keys)


def test_a_closed_store_takes_nothing(reopen: Open) -> None:
    store = reopen()
    waiting = [store.record([event(f"{n}")]) for n in range(20)]
    store.close()
    assert all(call.result().verdicts[0].status is A for call in waiting)
    with pytest.raises(Unavailable):
        store.record([event("late")])
    assert reopen().get(ANN).event_count == 20


def test_the_queue_is_bounded() -> None:
    queue = JobQueue(max_waiting=10)
    queue.put(RecordJob(Batch([event("x")] * 10, False, NOW), Future()))
    with pytest.raises(Overloaded, match="10 events wait"):
        queue.put(RecordJob(Batch([event("y")], False, NOW), Future()))


@pytest.mark.parametrize("cached", [0, 2, 1000])
@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_readers_beside_writers_see_whole_profiles_and_every_acknowledged_event(
    tmp_path: Path, cached: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MAX_ROWS", rows)
    people = [Subject(str(n)) for n in range(8)]
    wrong: list[str] = []
    done = threading.Event()
    with closing(Profiles.open(tmp_path, config(cache_profiles=cached), keys, lambda: NOW)) as store:

        def write(mine: Subject) -> None:
            for n in range(60):
                recorded = store.record([event(f"{mine.id} {n}", subject=mine.key)]).result()
                seen = store.get(mine, recorded.watermark).event_count
                if seen != n + 1:
                    wrong.append(f"{mine.id}: {seen} after {n + 1} acknowledged")

        def read() -> None:
            while not done.is_set():
                profiles = store.batch_get(people)
                wrong.extend("torn" for p in profiles if p.items.views.sum() != p.event_count)

        readers = [threading.Thread(target=read) for _ in range(2)]
        writers = [threading.Thread(target=write, args=(one,)) for one in people]
        for thread in readers + writers:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in readers:
            thread.join()
        assert not wrong
        assert [profile.event_count for profile in store.batch_get(people)] == [60] * 8


@pytest.mark.parametrize("cached", [0, 1000])
def test_readers_beside_an_erasure_see_all_or_nothing(
    tmp_path: Path, cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MAX_ROWS", 7)
    done = threading.Event()
    seen: set[int] = set()
    with closing(Profiles.open(tmp_path, config(cache_profiles=cached), keys, lambda: NOW)) as store:

        def read() -> None:
            while not done.is_set():
                seen.add(store.get(ANN).event_count)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for thread in readers:
            thread.start()
        for n in range(30):
            # Some of them are in the profile on disk, some wait.
            ten = [event(f"{n} {m}", at=NOW + n / 10) for m in range(10)]
            store.record(ten).result()
            store.record([event(f"{n} more", at=NOW + n / 10)]).result()
            assert store.erase(ANN, now=NOW + n / 10 + 0.01).result() == 11
            assert store.get(ANN).event_count == 0
        done.set()
        for thread in readers:
            thread.join()
    assert seen <= {0, 10, 11}
