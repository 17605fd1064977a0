"""What is popular and what is rising."""

import threading
import time as clock
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.domain.events import INTEREST, Activity, EventType
from vitrine.domain.items import Item
from vitrine.domain.profile import DAY
from vitrine.retrieval.activity import LocalActivity, PopularityKeeper
from vitrine.retrieval.popularity import Found, Popularity

NOW = 1.7e9
Row = tuple[str, EventType, float]


def activity(rows: Sequence[Row], cursor: int) -> Activity:
    return Activity(
        [r[0] for r in rows],
        np.array([r[1] for r in rows], np.int8),
        np.array([r[2] for r in rows], np.float64),
        np.ones(len(rows)),
        cursor,
    )


def shop(n: int = 6) -> Catalog:
    catalog = Catalog()
    catalog.apply([Item(item_id=f"i{k}") for k in range(n)], 1)
    return catalog


def ids(catalog: Catalog, found: Found) -> list[str]:
    return [catalog.ids[r] for r in found[0].tolist()]


ROWS = st.lists(
    st.tuples(
        st.sampled_from([f"i{k}" for k in range(8)]),
        st.sampled_from(EventType),
        st.floats(0, 4000).map(lambda days: NOW + days * DAY),
    ),
    max_size=10,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, max_size=5), st.booleans())
def test_sums_are_decayed_interest(batches: list[list[Row]], read_between: bool) -> None:
    catalog = shop()
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    counted: list[Row] = []
    for cursor, batch in enumerate(batches, 1):
        popularity.feed(activity(batch, cursor))
        counted += batch
        if read_between:
            popularity.popular(catalog.sellable, 3)
    catalog.apply([Item(item_id="i6"), Item(item_id="i7")], 2)
    latest = max([time for *_, time in counted], default=NOW)

    def total(item: str, half_life: float) -> float:
        return sum(INTEREST[t] * 2 ** -((latest - time) / half_life) for i, t, time in counted if i == item)

    sums = {i: max(total(i, 30 * DAY), 0.0) for i in catalog.ids}
    highest = max(sums.values())
    assume(highest > 1e-3 or not any(INTEREST[t] for _, t, _ in counted))  # not only what cancels out
    rows, shares = popularity.popular(catalog.sellable, 100)
    got = dict.fromkeys(catalog.ids, 0.0) | {
        catalog.ids[r]: s for r, s in zip(rows.tolist(), shares.tolist(), strict=True)
    }
    assert got == pytest.approx({i: s / (highest or 1.0) for i, s in sums.items()}, rel=1e-3, abs=1e-6)
    rising = set(ids(catalog, popularity.rising(catalog.sellable, 100, latest)))
    for i in catalog.ids:
        slow, fast = total(i, 30 * DAY), total(i, 2 * DAY)
        if slow > 1e-9 and abs(fast - slow / 15) > 1e-6:
            assert (i in rising) == (fast > slow / 15)


def test_a_steady_favourite_is_popular_and_a_newcomer_is_rising() -> None:
    catalog = shop()
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    steady = [("i0", EventType.PURCHASE, NOW - day * DAY) for day in range(90, 2, -1)]
    burst = [("i1", EventType.VIEW, NOW - 600.0 * k) for k in range(30)]
    popularity.feed(activity(steady + burst, 1))
    assert ids(catalog, popularity.popular(catalog.sellable, 9)) == ["i0", "i1"]
    assert ids(catalog, popularity.rising(catalog.sellable, 9, NOW)) == ["i1"]
    assert ids(catalog, popularity.rising(catalog.sellable, 9, NOW + 365 * DAY)) == []


def test_one_event_moves_the_next_answer_and_counts_once() -> None:
    catalog = shop(3000)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    popularity.feed(activity([(f"i{k}", EventType.VIEW, NOW) for k in range(3000)], 5))
    assert len(popularity.popular(catalog.sellable, 2500)[0]) == 2500
    popularity.feed(activity([("i2999", EventType.PURCHASE, NOW)], 6))
    assert ids(catalog, popularity.popular(catalog.sellable, 1)) == ["i2999"]
    popularity.feed(activity([("i1", EventType.PURCHASE, NOW)] * 9, 6))
    assert ids(catalog, popularity.popular(catalog.sellable, 1)) == ["i2999"], "cursor 6 was counted already"
    popularity.feed(activity([("i2999", EventType.REMOVE_FROM_CART, NOW)] * 5, 7))
    assert "i2999" not in ids(catalog, popularity.popular(catalog.sellable, 2998))


def test_what_is_told_of_candidates_is_as_of_then() -> None:
    catalog = shop(5)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    rows = np.arange(5, dtype=np.int32)
    nothing, unknown = popularity.signals(rows, NOW)
    assert nothing.tolist() == [0.0] * 5
    assert np.isnan(unknown).all()
    counted = [("i0", EventType.PURCHASE, NOW - k * DAY) for k in range(60)]
    burst = [("i1", EventType.VIEW, NOW), ("i2", EventType.REMOVE_FROM_CART, NOW)]
    popularity.feed(activity(counted + burst, 1))
    shares, trend = popularity.signals(rows[::-1], NOW)
    assert shares.dtype == trend.dtype == np.float32
    np.testing.assert_array_equal(shares, popularity.shares(rows[::-1]).astype(np.float32))
    assert shares[4] == 1
    assert 0 < shares[3] < 1
    assert shares[:3].tolist() == [0, 0, 0]
    assert trend[3] == pytest.approx(np.log2(15)), "all of it is of late"
    assert abs(trend[4]) < 1
    assert np.isnan(trend[:3]).all()


def test_what_rises_is_looked_up_again_after_a_change() -> None:
    catalog = shop(3)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    popularity.feed(activity([("i0", EventType.VIEW, NOW)], 1))
    for _ in range(2):
        assert ids(catalog, popularity.rising(catalog.sellable, 9, NOW)) == ["i0"]
    popularity.feed(activity([("i1", EventType.PURCHASE, NOW)], 2))
    assert ids(catalog, popularity.rising(catalog.sellable, 9, NOW)) == ["i1", "i0"]
    assert ids(catalog, popularity.rising(np.array([True]), 9, NOW)) == ["i0"]
    assert ids(catalog, popularity.rising(np.zeros(0, np.bool_), 9, NOW)) == [], (
        "asked before there were items"
    )
    popularity.reset()
    assert ids(catalog, popularity.rising(catalog.sellable, 9, NOW)) == []


def test_a_narrow_filter_still_fills_the_list() -> None:
    catalog = shop(9000)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    rows = [(f"i{k}", EventType.VIEW, NOW + k) for k in range(9000)]
    popularity.feed(activity(rows, 1))
    allowed = np.zeros(9000, np.bool_)
    allowed[:10] = True
    assert ids(catalog, popularity.popular(allowed, 20)) == [f"i{k}" for k in range(9, -1, -1)]


class Log:
    """The part of the profile store that counts."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.listeners: list[object] = []

    @property
    def watermark(self) -> int:
        return len(self.rows)

    def activity(self, after: int, limit: int, /) -> Activity:
        rows = self.rows[after : after + limit]
        return activity(rows, after + len(rows))

    def subscribe(self, listener: object, /) -> None:
        self.listeners.append(listener)

    def unsubscribe(self, listener: object, /) -> None:
        self.listeners.remove(listener)

    def record(self, *rows: Row) -> None:
        self.rows += rows
        for listener in self.listeners:
            listener(activity(rows, len(self.rows)))  # type: ignore[operator]


def events(seed: int, n: int) -> list[Row]:
    rng = np.random.default_rng(seed)
    types = [EventType.VIEW, EventType.PURCHASE, EventType.REMOVE_FROM_CART]
    return [
        (f"i{rng.integers(9)}", types[rng.integers(3)], NOW + float(rng.uniform(0, 900)) * DAY)
        for _ in range(n)
    ]


def state_of(popularity: Popularity) -> tuple[list[str], list[str], list[float]]:
    catalog = popularity._catalog
    popular = popularity.popular(catalog.sellable, 9)
    rising = popularity.rising(catalog.sellable, 9, NOW + 900 * DAY)
    return ids(catalog, popular), ids(catalog, rising), [*popular[1].tolist(), *rising[1].tolist()]


@pytest.mark.parametrize("crash", [False, True])
def test_a_restart_is_as_if_there_had_been_none(tmp_path: Path, crash: bool) -> None:
    log, first, second = Log(), events(1, 200), events(2, 100)
    log.rows = first[:50]
    store = CatalogStore.open(tmp_path, Catalog())
    store.upsert([Item(item_id=f"i{k}") for k in range(6)], None, 1.0)
    popularity = Popularity(store.catalog, 30 * DAY, 2 * DAY)
    keeper = PopularityKeeper(popularity, store, seconds=3600)
    feed = LocalActivity(popularity, log)
    log.record(*first[50:])
    keeper.save()
    log.record(*second[:30])
    feed.close()
    if crash:
        keeper._kept = popularity.cursor  # the last snapshot is not taken
    keeper.close()
    store.close()
    log.record(*second[30:])

    store = CatalogStore.open(tmp_path, Catalog())
    store.upsert([Item(item_id=f"i{k}") for k in range(9)], None, 1.0)
    resumed = Popularity(store.catalog, 30 * DAY, 2 * DAY)
    keeper = PopularityKeeper(resumed, store, seconds=3600)
    assert resumed.cursor == (200 if crash else 230)
    LocalActivity(resumed, log)

    alone = Popularity(store.catalog, 30 * DAY, 2 * DAY)
    for at in range(0, 300, 10):
        alone.feed(activity(log.rows[at : at + 10], at + 10))
    assert resumed.cursor == alone.cursor == 300
    assert state_of(resumed)[:2] == state_of(alone)[:2]
    assert state_of(resumed)[2] == pytest.approx(state_of(alone)[2], rel=1e-6)
    keeper.close()
    store.close()


def test_other_half_lives_count_the_log_anew() -> None:
    log = Log()
    log.rows = events(3, 20)
    store = CatalogStore.open(None, shop_of_store := Catalog())
    store.upsert([Item(item_id=f"i{k}") for k in range(9)], None, 1.0)
    popularity = Popularity(shop_of_store, 30 * DAY, 2 * DAY)
    PopularityKeeper(popularity, store).close()
    LocalActivity(popularity, log)
    store.save_state("popularity", *popularity.dump())
    other = Popularity(shop_of_store, 10 * DAY, 2 * DAY)
    PopularityKeeper(other, store).close()
    assert other.cursor == 0
    LocalActivity(other, log)
    assert other.cursor == 20


def test_what_an_earlier_version_kept_goes_on_and_so_does_what_waits_for_its_item() -> None:
    catalog = shop(9)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    popularity.feed(activity([*events(5, 60), ("later", EventType.PURCHASE, NOW)], 61))
    cursor, data = popularity.dump()
    kept = msgspec.msgpack.decode(data)
    assert kept[4] == ["later"], "items of the catalogue are kept by row"
    # As earlier versions kept it: ids of all.
    rows = np.frombuffer(kept[7], "<i4").tolist()
    earlier = [*kept[:4], [catalog.ids[row] for row in rows] + kept[4], *kept[5:7]]
    for state in (data, msgspec.msgpack.encode(earlier)):
        other = Popularity(catalog, 30 * DAY, 2 * DAY)
        assert other.restore(cursor, state)
        assert state_of(other) == state_of(popularity)
        assert other.dump() == (cursor, data)


def test_rows_that_are_not_there_are_counted_anew() -> None:
    popularity = Popularity(shop(9), 30 * DAY, 2 * DAY)
    popularity.feed(activity([("i8", EventType.PURCHASE, NOW)], 1))
    other = Popularity(shop(3), 30 * DAY, 2 * DAY)
    assert not other.restore(*popularity.dump())
    assert other.cursor == 0


def test_a_shorter_log_is_counted_anew() -> None:
    log = Log()
    catalog = shop(9)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    popularity.feed(activity(events(4, 50), 50))
    log.rows = [("i3", EventType.VIEW, NOW)]
    LocalActivity(popularity, log)
    assert ids(catalog, popularity.popular(catalog.sellable, 9)) == ["i3"]
    assert popularity.cursor == 1


def test_events_recorded_while_the_log_is_read_count_once() -> None:
    log, catalog = Log(), shop(9)
    log.rows = [("i1", EventType.VIEW, NOW)] * 20_000
    read = log.activity

    def slow_read(after: int, limit: int, /) -> Activity:
        found = read(after, limit)
        if after == 10_000:
            log.record(("i2", EventType.PURCHASE, NOW))
            log.record(("i2", EventType.PURCHASE, NOW))
        return found

    log.activity = slow_read  # type: ignore[method-assign]
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    LocalActivity(popularity, log)
    log.record(("i2", EventType.PURCHASE, NOW))
    assert popularity.cursor == 20_003
    _, shares = popularity.popular(catalog.sellable, 9)
    assert shares.tolist() == pytest.approx([1.0, 24 / 20_000])


def test_the_keeper_saves_by_itself() -> None:
    store = CatalogStore.open(None, catalog := Catalog())
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    keeper = PopularityKeeper(popularity, store, seconds=0.01)
    popularity.feed(activity([("x", EventType.VIEW, NOW)], 3))
    deadline = clock.monotonic() + 5
    while store.load_state("popularity of rows") is None and clock.monotonic() < deadline:
        clock.sleep(0.01)
    assert store.load_state("popularity of rows") is not None
    keeper.close()
    assert threading.active_count() < 50


def test_memory_for_unknown_items_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitrine.retrieval.popularity._MAX_PENDING", 3)
    catalog = shop(1)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    for k in range(9):
        popularity.feed(activity([(f"new{k}", EventType.VIEW, NOW)], k + 1))
    catalog.apply([Item(item_id=f"new{k}") for k in range(9)], 2)
    assert sorted(ids(catalog, popularity.popular(catalog.sellable, 9))) == ["new6", "new7", "new8"]
