"""A plugin that hangs costs its budget and its column, and nothing else: neither the answer nor a thread."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from tests.support.batches import batch_of
from vitrine.domain.answer import DegradationCode
from vitrine.errors import Timeout
from vitrine.hosting import Hosted, Leg, Missing, Waiter, waiting
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.hosted import MAX_HUNG
from vitrine.hosting.workers import Workers
from vitrine.plugin import Batch, Scores


class Slow:
    """Sleeps, if told to, until it is let go."""

    def __init__(self, sleeps: bool = False) -> None:
        self.sleeps = sleeps
        self.free = threading.Event()
        self.calls = 0

    def score(self, batch: Batch) -> Scores:
        self.calls += 1
        if self.sleeps:
            self.free.wait(20)
        return np.full(len(batch.items.ids), self.calls, np.float32)


def host(target: Slow, budget: float = 0.05, failures: int = 3, retry: float = 60) -> Hosted:
    return Hosted("ranker:slow", target, budget, Breaker(failures, retry))


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(2) as pool:
        yield pool


def fine(answer: Any) -> str:
    del answer
    return ""


def work(*parts: Hosted) -> Callable[[Leg], list[Any]]:
    batch = batch_of(3)
    return lambda leg: [leg.call(part, "score", batch, check=fine) for part in parts]


async def test_what_hangs_is_left_out_and_the_others_are_called_once(workers: Workers) -> None:
    before, hangs, after = Slow(), Slow(sleeps=True), Slow()
    started = time.monotonic()
    first, second, third = await Waiter(workers).run(work(host(before), host(hangs), host(after)), 5)
    assert time.monotonic() - started < 1
    assert (before.calls, hangs.calls, after.calls) == (1, 1, 1), "the way is gone on with, not begun anew"
    assert first.tolist() == third.tolist() == [1, 1, 1]
    assert isinstance(second, Missing)
    assert second.code is DegradationCode.TIMEOUT
    hangs.free.set()


async def test_threads_that_hang_are_replaced_and_end_when_they_come_back(workers: Workers) -> None:
    hangs = Slow(sleeps=True)
    hosted = host(hangs)
    answers = await asyncio.gather(*(Waiter(workers).run(work(hosted), 5) for _ in range(3)))
    assert all(isinstance(answer[0], Missing) for answer in answers)
    assert workers.given_up == hosted.hung == 3
    assert hosted.state.name == "hung"
    hangs.free.set()
    for _ in range(100):
        if workers.given_up == 0:
            break
        await asyncio.sleep(0.02)
    assert workers.given_up == hosted.hung == 0
    assert hosted.state.name == "tripped"
    assert len(workers._threads) <= 2


async def test_one_plugin_keeps_only_so_many_threads(workers: Workers) -> None:
    hangs = Slow(sleeps=True)
    hosted = host(hangs, budget=0.02, failures=20)
    for _ in range(MAX_HUNG + 3):
        await Waiter(workers).run(work(hosted), 5)
    assert hangs.calls == hosted.hung == MAX_HUNG
    hangs.free.set()


async def test_no_call_gets_more_than_half_of_what_its_request_has_left(workers: Workers) -> None:
    hangs, after = Slow(sleeps=True), Slow()
    started = time.monotonic()
    first, second = await Waiter(workers).run(work(host(hangs, budget=60), host(after, budget=60)), 0.4)
    assert 0.15 < time.monotonic() - started < 0.4
    assert isinstance(first, Missing)
    assert second.tolist() == [1, 1, 1]
    hangs.free.set()


async def test_the_thread_is_replaced_even_when_nobody_waits_any_more(workers: Workers) -> None:
    hangs = Slow(sleeps=True)
    batch = batch_of(3)

    def late(leg: Leg) -> Any:
        time.sleep(0.1)  # our own work takes all the time that there is
        return leg.call(host(hangs, budget=0.3), "score", batch, check=fine)

    waiting = asyncio.create_task(Waiter(workers).run(late, 5))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for _ in range(100):
        if workers.given_up:
            break
        await asyncio.sleep(0.02)
    assert workers.given_up == 1
    hangs.free.set()


async def test_who_does_not_wait_any_more_costs_no_further_plugin(workers: Workers) -> None:
    after, batch = Slow(), batch_of(3)

    def late(leg: Leg) -> Any:
        time.sleep(0.15)
        return leg.call(host(after), "score", batch, check=fine)

    with pytest.raises(Timeout):
        await Waiter(workers).run(late, 0.05)
    await asyncio.sleep(0.25)
    assert after.calls == 0


async def test_what_raises_reaches_who_waits(workers: Workers) -> None:
    def fails(leg: Leg) -> Any:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        await Waiter(workers).run(fails, None)


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, KeyboardInterrupt, RecursionError, MemoryError])
async def test_nothing_that_a_plugin_raises_ends_the_request(
    workers: Workers, error: type[BaseException]
) -> None:
    class Raises(Slow):
        def score(self, batch: Batch) -> Scores:
            raise error

    bad, good = host(Raises()), host(Slow())
    missing, scores = await Waiter(workers).run(work(bad, good), 5)
    assert missing == Missing(DegradationCode.FAILED, "the plugin failed")
    assert scores.tolist() == [1, 1, 1]


async def test_repeated_failures_trip_it_and_it_is_tried_again(workers: Workers) -> None:
    slow = Slow(sleeps=True)
    hosted = host(slow, failures=2, retry=0.3)
    for _ in range(5):
        await Waiter(workers).run(work(hosted), 5)
    assert slow.calls == 2
    (missing,) = await Waiter(workers).run(work(hosted), 5)
    assert missing.code is DegradationCode.OFF
    slow.sleeps = False
    slow.free.set()
    await asyncio.sleep(0.4)
    (scores,) = await Waiter(workers).run(work(hosted), 5)
    assert scores.tolist() == [3, 3, 3]
    assert hosted.state.name == "on"


def test_workers_end_although_one_hangs() -> None:
    pool = Workers(1)
    free = threading.Event()
    started = threading.Event()
    hung: list[int] = []

    def hang() -> None:
        hung.append(threading.get_ident())
        started.set()
        free.wait(20)

    pool.run(hang)
    assert started.wait(5)
    pool.give_up(hung[0])
    assert pool.submit(lambda: 7).result(5) == 7
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.run(hang)
    free.set()


@pytest.mark.parametrize("fails", [False, True])
async def test_what_a_request_worked_with_is_freed_without_the_collector(
    workers: Workers, fails: bool
) -> None:
    class Engine:
        def rank(self, leg: Leg) -> int:
            if fails:
                raise ValueError("unknown scene")
            return 1

    gc.collect()
    gc.disable()
    try:
        engine = Engine()
        freed = weakref.ref(engine)
        with pytest.raises(ValueError, match="scene") if fails else nullcontext():
            await Waiter(workers).run(engine.rank, 5)
        del engine
        for _ in range(100):
            if freed() is None:
                break
            await asyncio.sleep(0.01)
        assert freed() is None
    finally:
        gc.enable()


async def test_a_call_that_is_due_before_anybody_looks_is_noticed_when_it_is_due(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 10.0)
    hangs, after = Slow(sleeps=True), Slow()
    parts = (host(after), host(hangs, budget=0.05), host(after))

    def late(leg: Leg) -> list[Any]:
        time.sleep(0.05)  # by then the first look is set
        return work(*parts)(leg)

    started = time.monotonic()
    found = await Waiter(workers).run(late, None)
    assert time.monotonic() - started < 2
    assert [isinstance(answer, Missing) for answer in found] == [False, True, False]
    hangs.free.set()


async def test_what_ends_in_time_sets_no_timer_off(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    monkeypatch.setattr(waiting._Watch, "_look", lambda _: looks.append(time.monotonic()))
    await asyncio.gather(*(Waiter(workers).run(work(host(Slow(), budget=5)), 5) for _ in range(3)))
    await asyncio.sleep(0.1)
    assert looks == []


async def test_nobody_looks_after_what_waits_for_a_thread_and_is_not_wanted_any_more(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    look = waiting._Watch._look

    def counted(self: "waiting._Watch[Any]") -> None:
        looks.append(time.monotonic())
        look(self)

    monkeypatch.setattr(waiting._Watch, "_look", counted)
    free = threading.Event()

    def block() -> None:
        free.wait(20)

    for _ in range(2):
        workers.run(block)
    part = host(Slow(), budget=5)
    waiter = Waiter(workers)
    cancelled = asyncio.ensure_future(waiter.run(work(part), 5))
    with pytest.raises(Timeout):
        await waiter.run(work(part), 0.1)
    cancelled.cancel()
    await asyncio.sleep(2 * waiting.LOOK_SECONDS)
    looks.clear()
    await asyncio.sleep(6 * waiting.LOOK_SECONDS)
    assert looks == []
    free.set()
    [answer] = await waiter.run(work(part), 5)
    assert answer.tolist() == [1.0, 1.0, 1.0], "the others called nothing"
