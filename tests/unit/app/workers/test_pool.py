"""A pool keeps as many workers as it was told to have, and gives each its share."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from vitrine.app.workers import pool as module
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Answer, Ask, Beat, Method, Reload, Start
from vitrine.app.workers.pool import Pool
from vitrine.errors import ConfigError, Unavailable


class Worker:
    """A worker without a process, which answers at once unless it is told to wait."""

    made: list["Worker"]
    on_start: Callable[["Worker"], None]
    slow: set[int]
    hang = False

    def __init__(self, number: int, gone: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        self.number, self.gone = number, gone
        self.waiting: dict[int, Any] = {}
        self.up, self.alive, self.stuck, self.killed = False, True, False, False
        self.heard, self.silent, self.version, self.beat = loop.time(), 0, "", Beat({}, [])
        self.begun: asyncio.Future[None] = loop.create_future()
        Worker.made.append(self)

    async def start(self) -> None:
        Worker.on_start(self)
        if not self.hang:
            self.begun.set_result(None)

    def send(self, message: object) -> None:
        """Takes it."""

    def ask(self, ask: Ask, call: Any) -> None:
        self.waiting[ask.number] = call
        if self.number not in self.slow:
            self.waiting.pop(ask.number).answered(Answer(ask.number, bytes([self.number])))

    def forget(self, number: int) -> None:
        self.waiting.pop(number, None)

    def end(self) -> None:
        self.alive = False
        self.gone(self)

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.alive = False

    def wait(self, _: float) -> str:
        return "signal 9"


@pytest.fixture(autouse=True)
def _workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Handle", Worker)
    monkeypatch.setattr(module, "Backoff", lambda: cast("Any", _NoWait()))
    Worker.made, Worker.on_start, Worker.slow = [], lambda _: None, set()


class _NoWait:
    def seconds(self) -> float:
        return 0.0


def make(size: int) -> Pool:
    return Pool(
        size, lambda number: Start(number, b"", "", "", 2, 0.0), lambda: (0, b""), lambda: 0.0, lambda: 0
    )


async def settle(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


async def test_a_worker_that_ends_while_others_start_ends_the_start() -> None:
    def starting(worker: Worker) -> None:
        if worker.number == 2:
            Worker.made[0].end()

    Worker.on_start = starting
    pool = make(2)
    with pytest.raises(ConfigError, match="worker 1 ended"):
        await pool.open()
    assert not pool.up()
    await pool.close()


async def test_a_system_that_has_no_process_left_is_asked_again() -> None:
    pool = make(1)
    await pool.open()
    failures = iter([OSError(24, "Too many open files"), OSError(12, "Cannot allocate memory")])

    def starting(_: Worker) -> None:
        for error in failures:
            raise error

    Worker.on_start = starting
    Worker.made[0].end()
    assert not pool.up()
    await settle(lambda: bool(pool.up()))
    assert pool.restarts == {1: 3}
    await pool.close()


async def test_what_others_switched_to_while_a_worker_came_back_reaches_it() -> None:
    pool = make(1)
    await pool.open()
    wanted, told = ["old"], []

    async def config(worker: Handle) -> None:
        told.append((wanted[0], worker.up))

    async def bundle(_: Handle) -> None:
        # It takes seconds; and nobody tells a worker that is not up.
        wanted[0] = "new"

    pool.before_use += [config, bundle]
    Worker.made[0].end()
    await settle(lambda: len(told) == 2)
    assert told == [("old", False), ("new", True)]
    await pool.close()


async def test_a_worker_that_was_away_gets_its_share_and_not_all_that_it_missed() -> None:
    pool = make(2)
    await pool.open()
    Worker.made[0].end()
    for _ in range(50):
        await pool.ask(Method.RANK, b"", 1.0)
    await settle(lambda: len(pool.up()) == 2)
    got = [(await pool.ask(Method.RANK, b"", 1.0)).data[0] for _ in range(10)]
    assert sorted(got) == [1] * 5 + [2] * 5
    await pool.close()


async def test_workers_that_do_not_answer_for_all_are_not_taken_for_busy_ever_after() -> None:
    pool = make(2)
    await pool.open()
    Worker.slow = {2}
    answers = await pool.ask_all(Method.LIST_RANKERS, b"", 0.02)
    assert [answer.data[0] for answer in answers] == [1]
    assert not any(worker.waiting for worker in Worker.made)
    await pool.close()


async def test_a_call_is_not_sent_twice_where_all_workers_are_busy() -> None:
    pool = make(2)
    await pool.open()
    Worker.slow = {1, 2}
    calls = [asyncio.create_task(pool.ask(Method.RANK, b"", 0.5)) for _ in range(20)]
    await asyncio.gather(*calls, return_exceptions=True)
    assert sum(pool.asked.values()) == 20
    # The other has nothing to do: it may be tried.
    Worker.slow = {1}
    assert all([(await pool.ask(Method.RANK, b"", 2.0)).data == b"\2" for _ in range(2)])
    await pool.close()


async def test_doubts_cannot_double_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RIVALS", 5.0)
    pool = make(2)
    await pool.open()
    Worker.slow = {1, 2}
    calls = [asyncio.create_task(pool.ask(Method.RANK, b"", 0.7)) for _ in range(40)]
    for turn in range(12):
        # They take turns to talk: each seems to hang while the other does not.
        await asyncio.sleep(0.05)
        Worker.made[turn // 6].heard = pool.loop.time()
    await asyncio.gather(*calls, return_exceptions=True)
    assert 40 < sum(pool.asked.values()) <= 40 + 5 + 40 * 0.05
    await pool.close()


async def test_one_that_reads_slowly_but_talks_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.005)
    pool = make(2)
    await pool.open()
    talking, silent = Worker.made
    talking.stuck = silent.stuck = True
    for _ in range(20):
        talking.silent = 0
        await asyncio.sleep(0.005)
    assert silent.killed
    assert not talking.killed
    await pool.close()


async def test_one_that_hangs_while_it_starts_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.005)
    monkeypatch.setattr(module, "_START_LOOKS", 3)
    pool = make(1)
    await pool.open()
    Worker.hang = True
    Worker.made[0].end()
    await settle(lambda: len(Worker.made) == 2)
    Worker.hang = False
    await settle(lambda: Worker.made[1].killed)
    Worker.made[1].begun.set_exception(ConfigError("worker 1 ended while it started"))
    await settle(lambda: bool(pool.up()))
    await pool.close()


async def test_a_worker_that_has_ended_does_not_keep_a_reload_waiting() -> None:
    async with asyncio.timeout(1):
        with pytest.raises(Unavailable):
            await Handle(1, lambda _: None).reload(Reload(1))
