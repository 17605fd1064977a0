"""A plugin that hangs costs its budget and its column, and nothing else: neither the answer nor a thread."""

import asyncio
import gc
import threading
import time
import weakref
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest

from tests.support.hosted import Ranker, host, score
from tests.support.until import until_async
from vitrine.domain.answer import DegradationCode
from vitrine.errors import Timeout
from vitrine.hosting import Leg, Missing, Waiter, waiting
from vitrine.hosting.hosted import MAX_HUNG
from vitrine.hosting.workers import Workers


def stuck(gate: threading.Event) -> Ranker:
    """Hangs until the gate opens."""
    return Ranker(partial(gate.wait, 20))


async def test_what_hangs_is_left_out_and_the_others_are_called_once(
    workers: Workers, gate: threading.Event
) -> None:
    before, hangs, after = Ranker(), stuck(gate), Ranker()
    work = score(host(before), host(hangs, budget=0.05), host(after))
    started = time.monotonic()
    first, second, third = await Waiter(workers).run(work, 5)
    assert time.monotonic() - started < 1
    assert (before.calls, hangs.calls, after.calls) == (1, 1, 1), "the way is gone on with, not begun anew"
    assert first.tolist() == third.tolist() == [1, 1, 1]
    assert isinstance(second, Missing)
    assert second.code is DegradationCode.TIMEOUT


async def test_threads_that_hang_are_replaced_and_end_when_they_come_back(
    workers: Workers, gate: threading.Event
) -> None:
    hosted = host(stuck(gate), budget=0.05)
    answers = await asyncio.gather(*(Waiter(workers).run(score(hosted), 5) for _ in range(3)))
    assert all(isinstance(answer[0], Missing) for answer in answers)
    assert workers.given_up == hosted.hung == 3
    assert hosted.state.name == "hung"
    gate.set()
    await until_async("all come back", lambda: workers.given_up == hosted.hung == 0)
    assert hosted.state.name == "tripped"
    assert len(workers._threads) <= 2


async def test_one_plugin_keeps_only_so_many_threads(workers: Workers, gate: threading.Event) -> None:
    hangs = stuck(gate)
    hosted = host(hangs, budget=0.02, failures=20)
    for _ in range(MAX_HUNG + 3):
        await Waiter(workers).run(score(hosted), 5)
    assert hangs.calls == hosted.hung == MAX_HUNG


async def test_no_call_gets_more_than_half_of_what_its_request_has_left(
    workers: Workers, gate: threading.Event
) -> None:
    hangs, after = stuck(gate), Ranker()
    started = time.monotonic()
    first, second = await Waiter(workers).run(score(host(hangs, budget=60), host(after, budget=60)), 1.0)
    assert 0.45 < time.monotonic() - started < 1.0
    assert isinstance(first, Missing)
    assert second.tolist() == [1, 1, 1]


async def test_the_thread_is_replaced_even_when_nobody_waits_any_more(
    workers: Workers, gate: threading.Event
) -> None:
    hangs = stuck(gate)
    waiting = asyncio.create_task(Waiter(workers).run(score(host(hangs, budget=0.3)), 5))
    await until_async("the call has begun", lambda: hangs.calls == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until_async("its thread is replaced", lambda: workers.given_up == 1)


async def test_who_does_not_wait_any_more_costs_no_further_plugin(
    workers: Workers, gate: threading.Event
) -> None:
    after, ended = Ranker(), threading.Event()

    def late(leg: Leg) -> Any:
        gate.wait(20)  # our own work takes all the time that there is
        try:
            return score(host(after))(leg)
        finally:
            ended.set()

    with pytest.raises(Timeout):
        await Waiter(workers).run(late, 0.05)
    gate.set()
    await until_async("the work ends", ended.is_set)
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
    def fail() -> None:
        raise error

    bad, good = host(Ranker(fail)), host(Ranker())
    missing, scores = await Waiter(workers).run(score(bad, good), 5)
    assert missing == Missing(DegradationCode.FAILED, "the plugin failed")
    assert scores.tolist() == [1, 1, 1]


async def test_repeated_failures_trip_it_and_it_is_tried_again(
    workers: Workers, gate: threading.Event
) -> None:
    slow = stuck(gate)
    hosted = host(slow, budget=0.05, failures=2, retry=0.3)
    for _ in range(5):
        await Waiter(workers).run(score(hosted), 5)
    assert slow.calls == 2
    (missing,) = await Waiter(workers).run(score(hosted), 5)
    assert missing.code is DegradationCode.OFF
    gate.set()
    await until_async("its calls return", lambda: hosted.hung == 0)
    await asyncio.sleep(0.4)
    (scores,) = await Waiter(workers).run(score(hosted), 5)
    assert scores.tolist() == [3, 3, 3]
    assert hosted.state.name == "on"


def test_workers_end_although_one_hangs(gate: threading.Event) -> None:
    pool = Workers(1)
    started = threading.Event()
    hung: list[int] = []

    def hang() -> None:
        hung.append(threading.get_ident())
        started.set()
        gate.wait(20)

    pool.run(hang)
    assert started.wait(5)
    pool.give_up(hung[0])
    assert pool.submit(lambda: 7).result(5) == 7
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.run(hang)


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
        await until_async("it is freed", lambda: freed() is None)
    finally:
        gc.enable()


async def test_a_call_that_is_due_before_anybody_looks_is_noticed_when_it_is_due(
    workers: Workers, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 10.0)
    hangs, after = stuck(gate), Ranker()
    parts = (host(after), host(hangs, budget=0.05), host(after))

    def late(leg: Leg) -> list[Any]:
        time.sleep(0.05)  # by then the first look is set
        return score(*parts)(leg)

    started = time.monotonic()
    found = await Waiter(workers).run(late, None)
    assert time.monotonic() - started < 2
    assert [isinstance(answer, Missing) for answer in found] == [False, True, False]


async def test_what_ends_in_time_sets_no_timer_off(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(waiting._Watch, "_look", lambda _: looks.append(time.monotonic()))
    await asyncio.gather(*(Waiter(workers).run(score(host(Ranker())), 5) for _ in range(3)))
    await asyncio.sleep(0.6)
    assert looks == []


async def test_nobody_looks_after_what_waits_for_a_thread_and_is_not_wanted_any_more(
    workers: Workers, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    look = waiting._Watch._look

    def counted(self: "waiting._Watch[Any]") -> None:
        looks.append(time.monotonic())
        look(self)

    monkeypatch.setattr(waiting._Watch, "_look", counted)

    def block() -> None:
        gate.wait(20)

    for _ in range(2):
        workers.run(block)
    part = host(Ranker())
    waiter = Waiter(workers)
    cancelled = asyncio.ensure_future(waiter.run(score(part), 5))
    with pytest.raises(Timeout):
        await waiter.run(score(part), 0.1)
    cancelled.cancel()
    await asyncio.sleep(2 * waiting.LOOK_SECONDS)
    looks.clear()
    await asyncio.sleep(6 * waiting.LOOK_SECONDS)
    assert looks == []
    gate.set()
    [answer] = await waiter.run(score(part), 5)
    assert answer.tolist() == [1.0, 1.0, 1.0], "the others called nothing"
