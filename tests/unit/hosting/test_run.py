"""Legs of one request: what one of them knows, what is counted of it, and who is blamed."""

import asyncio
import threading
from functools import partial
from typing import Any

import numpy as np

from tests.support.batches import batch_of
from tests.support.hosted import Ranker, fine, host, score
from tests.support.until import until_async
from vitrine.hosting import Leg, Missing, Waiter
from vitrine.hosting.workers import Workers


def fail() -> None:
    raise ValueError


async def test_a_try_that_went_well_counts_though_the_next_plugin_hangs(
    workers: Workers, gate: threading.Event
) -> None:
    mended, hangs = Ranker(fail), Ranker(partial(gate.wait, 20))
    tripped = host(mended, failures=1, retry=0.05)
    await Waiter(workers).run(score(tripped), 5)
    assert tripped.state.name == "tripped"
    mended.does = lambda: None
    await asyncio.sleep(0.06)
    answers = await Waiter(workers).run(score(tripped, host(hangs, budget=0.05)), 5)
    assert [isinstance(answer, Missing) for answer in answers] == [False, True]
    # The thread that made the call has not come back, and may never do.
    assert not gate.is_set()
    assert tripped.state.name == "on"
    assert tripped.counts.calls == 2


async def test_requests_in_a_hurry_trip_no_plugin_that_keeps_to_its_budget(
    workers: Workers, gate: threading.Event
) -> None:
    steady = Ranker(partial(gate.wait, 20))
    hosted = host(steady, budget=60)
    for _ in range(4):
        gate.clear()
        # Half of its time is a plugin's; the rest is for a machine that is busy.
        (answer,) = await Waiter(workers).run(score(hosted), 0.4)
        assert isinstance(answer, Missing)
        assert "the request had less time" in answer.message
        gate.set()
        await until_async("the call returns", lambda: hosted.hung == 0)
    assert hosted.counts.timeouts == 4
    (answer,) = await Waiter(workers).run(score(hosted), 5)
    assert not isinstance(answer, Missing), "with time, it is called as ever"


async def test_who_overruns_its_budget_in_a_hurried_request_is_blamed_when_it_returns(
    workers: Workers, gate: threading.Event
) -> None:
    hosted = host(Ranker(partial(gate.wait, 20)), budget=0.3, failures=1)
    await Waiter(workers).run(score(hosted), 0.4)
    assert (hosted.state.name, hosted.hung) == ("on", 1)
    await asyncio.sleep(0.3)
    gate.set()
    await until_async("the call returns", lambda: hosted.hung == 0)
    await until_async("it is blamed", lambda: hosted.state.name == "tripped")


async def test_a_try_that_is_cut_short_is_followed_by_another(
    workers: Workers, gate: threading.Event
) -> None:
    ranker = Ranker(fail)
    hosted = host(ranker, budget=60, failures=1, retry=0.05)
    await Waiter(workers).run(score(hosted), 5)
    assert hosted.state.name == "tripped"
    await asyncio.sleep(0.06)
    ranker.does = partial(gate.wait, 20)
    (cut,) = await Waiter(workers).run(score(hosted), 0.4)
    assert isinstance(cut, Missing)
    assert ranker.calls == 2
    gate.set()
    await until_async("the call returns", lambda: hosted.hung == 0)
    (answer,) = await Waiter(workers).run(score(hosted), 5)
    assert not isinstance(answer, Missing)
    assert hosted.state.name == "on"


async def test_a_second_leg_takes_no_answer_to_another_question(
    workers: Workers, gate: threading.Event
) -> None:
    """The catalogue may change between two legs, and with it the items whose reasons are asked for."""
    telling, hangs = Ranker(), Ranker(partial(gate.wait, 20))
    speaks, stuck, batch = host(telling), host(hangs, budget=0.05), batch_of(5)
    legs = 0

    def work(leg: Leg) -> Any:
        nonlocal legs
        legs += 1
        positions = np.array([0, 1] if legs == 1 else [2, 3], np.int64)
        told = leg.call(speaks, "explain", batch, positions, check=fine)
        leg.call(stuck, "score", batch, check=fine)
        return told.tolist()

    assert await Waiter(workers).run(work, 5) == [2, 3]
    assert (telling.calls, hangs.calls, legs) == (2, 2, 3), "asked anew once, and answered from memory then"


async def test_numpy_raises_in_a_plugin_that_says_so_and_nowhere_else(workers: Workers) -> None:
    hosted = host(Ranker(lambda: np.seterr(all="raise")))
    before = np.geterr()

    def work(leg: Leg) -> Any:
        leg.call(hosted, "score", batch_of(3), check=fine)
        return np.geterr()

    assert await Waiter(workers).run(work, 5) == before
