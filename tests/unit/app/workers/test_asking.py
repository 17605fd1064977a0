"""Each worker is given its share of the calls, and no more may wait than fits."""

import asyncio

import pytest
from google.rpc import error_details_pb2, status_pb2

from tests.unit.app.workers.helpers import Worker, settle, two_workers
from vitrine.app.workers import asking as module
from vitrine.app.workers.messages import Given, Method
from vitrine.app.workers.watching import SILENT_LOOKS
from vitrine.errors import Overloaded, Timeout, Unavailable
from vitrine.rpc.status import serialised, status_of

pytestmark = pytest.mark.usefixtures("_no_processes")


async def test_a_worker_that_was_away_gets_its_share_and_not_all_that_it_missed() -> None:
    async with two_workers() as (pool, asking):
        Worker.made[0].end()
        for _ in range(50):
            await asking.ask(Method.RANK, b"", 1.0)
        await settle(lambda: len(pool.up()) == 2)
        got = [(await asking.ask(Method.RANK, b"", 1.0)).data[0] for _ in range(10)]
        assert sorted(got) == [1] * 5 + [2] * 5


async def test_workers_that_do_not_answer_for_all_are_not_taken_for_busy_ever_after() -> None:
    async with two_workers() as (_pool, asking):
        Worker.slow = {2}
        answers = await asking.ask_all(Method.LIST_RANKERS, b"", 0.02)
        assert [answer.data[0] for answer in answers] == [1]
        assert not any(worker.waiting for worker in Worker.made)


async def test_a_call_is_not_sent_twice_where_all_workers_are_busy() -> None:
    async with two_workers() as (_pool, asking):
        Worker.slow = {1, 2}
        calls = [asyncio.create_task(asking.ask(Method.RANK, b"", 0.5)) for _ in range(20)]
        await asyncio.gather(*calls, return_exceptions=True)
        assert sum(asking.asked.values()) == 20
        # The other has nothing to do: it may be tried.
        Worker.slow = {1}
        assert all([(await asking.ask(Method.RANK, b"", 2.0)).data == b"\2" for _ in range(2)])


async def test_doubts_cannot_double_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RIVALS", 5.0)
    async with two_workers() as (pool, asking):
        Worker.slow = {1, 2}
        calls = [asyncio.create_task(asking.ask(Method.RANK, b"", 0.7)) for _ in range(40)]
        for turn in range(12):
            # They take turns to talk: each seems to hang while the other does not.
            await asyncio.sleep(0.05)
            Worker.made[turn // 6].heard = pool.loop.time()
        await asyncio.gather(*calls, return_exceptions=True)
        assert 40 < sum(asking.asked.values()) <= 40 + 5 + 40 * 0.05


async def test_workers_that_do_not_talk_are_not_asked() -> None:
    async with two_workers() as (_pool, asking):
        one, other = Worker.made
        one.silent = SILENT_LOOKS + 1
        assert [(await asking.ask(Method.RANK, b"", 1.0)).data[0] for _ in range(3)] == [2] * 3
        other.silent = SILENT_LOOKS + 1
        async with asyncio.timeout(0.5):
            with pytest.raises(Unavailable):
                await asking.ask(Method.RANK, b"", 10.0)


async def test_no_more_calls_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CALLS", 3)
    async with two_workers() as (_pool, asking):
        Worker.slow = {1, 2}
        waiting = [asyncio.create_task(asking.ask(Method.RANK, b"", 0.3)) for _ in range(6)]
        await asyncio.sleep(0)
        async with asyncio.timeout(0.1):
            with pytest.raises(Overloaded, match="6 calls wait"):
                await asking.ask(Method.RANK, b"", 0.3)
            with pytest.raises(Overloaded):
                await asking.ask_all(Method.LIST_RANKERS, b"", 0.3)
        assert all(isinstance(e, Timeout) for e in await asyncio.gather(*waiting, return_exceptions=True))
        # Those whose time is over wait no more.
        Worker.slow = set()
        for _ in range(20):
            await asking.ask(Method.RANK, b"", 0.3)


async def test_a_call_to_all_without_time_left_waits_no_more_when_it_is_refused() -> None:
    async with two_workers() as (_pool, asking):
        for seconds in (0.0, -1.0):
            with pytest.raises(Unavailable):
                await asking.ask_all(Method.LIST_RANKERS, b"request", seconds)
        assert asking.waiting == 0
        assert not any(worker.waiting for worker in Worker.made)


async def test_what_waits_for_a_worker_that_starts_keeps_no_call_from_the_others() -> None:
    async with two_workers() as (_pool, asking):
        # A dump of popularity, say.
        Worker.made[0].up, Worker.made[0].unread = False, 1 << 30
        assert (await asking.ask(Method.RANK, b"", 1.0)).data == b"\2"


async def test_no_more_bytes_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10_000_000)
    async with two_workers() as (_pool, asking):
        Worker.slow = {1, 2}
        large, profile = bytes(3_500_000), Given(bytes(2_000_000))
        waiting = [asyncio.create_task(asking.ask(Method.RETRIEVE, large, 0.2)) for _ in range(2)]
        waiting.append(asyncio.create_task(asking.ask(Method.RECOMMEND, b"", 0.2, profile)))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="8 MiB"):
            await asking.ask(Method.RETRIEVE, large, 0.2)
        small = asyncio.create_task(asking.ask(Method.RETRIEVE, bytes(1000), 0.2))
        await asyncio.gather(*waiting, small, return_exceptions=True)
        # Nobody waits for them any more, but they still lie in front of a worker that does not read.
        Worker.made[0].unread = 7_000_000
        with pytest.raises(Overloaded):
            await asking.ask(Method.RETRIEVE, large, 0.2)
        Worker.made[0].unread, Worker.slow = 0, set()
        await asking.ask(Method.RETRIEVE, large, 0.2)


def test_who_is_refused_is_told_when_to_try_again() -> None:
    status = status_pb2.Status.FromString(serialised(status_of(Overloaded("too much waits", 0.5))))
    retry = error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 500
