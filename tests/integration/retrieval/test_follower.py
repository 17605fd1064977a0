"""A catalogue that follows another one."""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from tests.integration.retrieval.conftest import Server
from vitrine.catalog import Catalog
from vitrine.catalog.follower import CatalogFollower, keep_reading
from vitrine.domain.items import Availability, Item


@pytest.fixture
async def follower(channel: grpc.aio.Channel, workers: ThreadPoolExecutor) -> AsyncIterator[CatalogFollower]:
    follower = CatalogFollower(Catalog(), channel, workers)
    follower.start()
    yield follower
    await follower.close()


def items(*numbers: int, title: str = "t") -> list[Item]:
    return [
        Item(item_id=f"i{k}", title=title, category_path=("A", f"c{k}"), price_micros=k * 10) for k in numbers
    ]


async def until_equal(one: Catalog, other: Catalog, seconds: float) -> float:
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if one.revision == other.revision:
            assert [one.get(i) for i in one.ids] == [other.get(i) for i in one.ids]
            return time.monotonic() - started
        await asyncio.sleep(0.002)
    raise AssertionError(f"revision {other.revision} instead of {one.revision}")


async def test_it_follows_within_a_moment(server: Server, follower: CatalogFollower) -> None:
    copy = follower._catalog
    server.store.upsert(items(*range(3000)), None, 1.0)
    assert await follower.wait(10)
    await until_equal(server.catalog, copy, 5)
    for k in range(20):
        server.store.upsert(
            [Item(item_id=f"i{k}", availability=Availability.OUT_OF_STOCK)], frozenset({"availability"}), 1.0
        )
        assert await until_equal(server.catalog, copy, 1) < 0.5
        assert not copy.sellable[copy.rows([f"i{k}"])[0]]
    assert copy.tie.tolist() == server.catalog.tie.tolist()


async def test_it_goes_on_after_a_restart(server: Server, follower: CatalogFollower) -> None:
    server.store.upsert(items(1, 2, 3), None, 1.0)
    assert await follower.wait(10)
    await server.stop()
    for _ in range(500):
        if not follower.caught_up:
            break
        await asyncio.sleep(0.01)
    assert not follower.caught_up
    await server.start()
    server.store.upsert(items(2, 4, title="new"), None, 1.0)
    assert await follower.wait(10)
    await until_equal(server.catalog, follower._catalog, 5)


async def test_it_starts_anew_when_the_owner_lost_its_store(
    server: Server, follower: CatalogFollower
) -> None:
    server.store.upsert(items(1, 2, 3), None, 1.0)
    assert await follower.wait(10)
    await server.stop()
    assert server.directory is not None
    shutil.rmtree(server.directory)
    await server.start()
    server.store.upsert(items(3), None, 1.0)
    copy = follower._catalog
    await until_equal(server.catalog, copy, 10)
    sellable = {i for i, ok in zip(copy.ids, copy.sellable, strict=True) if ok}
    assert sellable == {"i3"}


async def test_closing_twice_or_before_the_start_is_fine(
    channel: grpc.aio.Channel, workers: ThreadPoolExecutor
) -> None:
    follower = CatalogFollower(Catalog(), channel, workers)
    await follower.close()
    follower.start()
    assert not await follower.wait(0.0)
    await follower.close()
    await follower.close()


async def test_it_survives_any_failure_to_take_a_message_in(
    server: Server,
    follower: CatalogFollower,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.store.upsert(items(1), None, 1.0)
    assert await follower.wait(10)
    copy, apply, failures = (
        follower._catalog,
        follower._catalog.apply,
        [RuntimeError("bug"), MemoryError("full")],
    )

    def fail_twice(changed: Sequence[Item], revision: int) -> None:
        if failures:
            raise failures.pop(0)
        apply(changed, revision)

    monkeypatch.setattr(copy, "apply", fail_twice)
    server.store.upsert(items(2, 3), None, 1.0)
    await until_equal(server.catalog, copy, 10)
    assert not failures
    assert await follower.wait(10)
    assert [str(r.exc_info[1]) for r in caplog.records if r.exc_info] == ["bug", "full"]


async def test_a_failure_while_reading_anew_leaves_no_lost_item_on_sale(
    server: Server, follower: CatalogFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.store.upsert(items(1, 2, 3), None, 1.0)
    assert await follower.wait(10)
    copy, apply, failures = follower._catalog, follower._catalog.apply, [RuntimeError("bug")]

    def fail_once(changed: Sequence[Item], revision: int) -> None:
        if failures:
            # Until the follower's revision is one that the owner knows, and nothing tells it to start anew again.
            while server.catalog.revision <= copy.revision:
                server.store.upsert(items(3, title=f"t{server.catalog.revision}"), None, 1.0)
            raise failures.pop()
        apply(changed, revision)

    await server.stop()
    monkeypatch.setattr(copy, "apply", fail_once)
    assert server.directory is not None
    shutil.rmtree(server.directory)
    await server.start()
    server.store.upsert(items(3), None, 1.0)
    for _ in range(1000):
        if not failures:
            break
        await asyncio.sleep(0.01)
    await until_equal(server.catalog, copy, 10)
    assert not failures
    assert {i for i, ok in zip(copy.ids, copy.sellable, strict=True) if ok} == {"i3"}


async def test_reading_goes_on_after_any_failure_and_ends_when_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls, ends, seen = 0, list[grpc.StatusCode | None](), asyncio.Queue[int]()

    async def stream() -> AsyncIterator[int]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("stream")
        yield calls

    def open_stream() -> AsyncIterator[int]:
        if not ends:
            ends.append(None)
            raise RuntimeError("open")
        return stream()

    async def handle(message: int) -> None:
        if message == 1:
            raise ValueError("message")
        seen.put_nowait(message)

    caplog.set_level(logging.ERROR)
    task = asyncio.create_task(keep_reading("the stream", open_stream, handle, ends.append))
    assert await asyncio.wait_for(seen.get(), 10) == 3
    assert ends[:4] == [None] * 4
    assert [str(r.exc_info[1]) for r in caplog.records if r.exc_info] == ["open", "message", "stream"]
    assert all("the stream" in record.message for record in caplog.records)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
