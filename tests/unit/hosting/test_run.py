"""Legs of one request: what one of them knows, what is counted of it, and who is blamed."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.batches import batch_of
from vitrine.hosting import Hosted, Leg, Missing, Waiter
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.workers import Workers
from vitrine.plugin import Batch, Scores


class Ranker:
    """Does what it is told."""

    def __init__(self, does: Callable[[], object] = lambda: None) -> None:
        self.does = does
        self.calls = 0

    def score(self, batch: Batch) -> Scores:
        self.calls += 1
        self.does()
        return np.full(len(batch.items.ids), self.calls, np.float32)

    def explain(self, batch: Batch, positions: Any) -> Any:
        self.calls += 1
        self.does()
        return positions


def host(target: Ranker, budget: float = 0.05, failures: int = 3, retry: float = 60) -> Hosted:
    return Hosted("ranker:x", target, budget, Breaker(failures, retry))


def fine(answer: Any) -> str:
    del answer
    return ""


def score(*parts: Hosted) -> Callable[[Leg], list[Any]]:
    batch = batch_of(3)
    return lambda leg: [leg.call(part, "score", batch, check=fine) for part in parts]


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(2) as pool:
        yield pool


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


async def test_a_try_that_went_well_counts_though_the_next_plugin_hangs(
    workers: Workers, gate: threading.Event
) -> None:
    def fail() -> None:
        raise ValueError

    mended, hangs = Ranker(fail), Ranker(lambda: gate.wait(20))
    tripped = host(mended, failures=1, retry=0.05)
    await Waiter(workers).run(score(tripped), 5)
    assert tripped.state.name == "tripped"
    mended.does = lambda: None
    await asyncio.sleep(0.06)
    answers = await Waiter(workers).run(score(tripped, host(hangs)), 5)
    assert [isinstance(answer, Missing) for answer in answers] == [False, True]
    # The thread that made the call has not come back, and may never do.
    assert not gate.is_set()
    assert tripped.state.name == "on"
    assert tripped.counts.calls == 2


async def test_requests_in_a_hurry_trip_no_plugin_that_keeps_to_its_budget(workers: Workers) -> None:
    steady = Ranker(lambda: time.sleep(0.03))
    hosted = host(steady, budget=0.5)
    for _ in range(4):
        (answer,) = await Waiter(workers).run(score(hosted), 0.04)
        assert isinstance(answer, Missing)
        assert "the request had less time" in answer.message
        await asyncio.sleep(0.03)
    assert hosted.counts.timeouts == 4
    (answer,) = await Waiter(workers).run(score(hosted), 5)
    assert not isinstance(answer, Missing), "with time, it is called as ever"


async def test_who_overruns_its_budget_in_a_hurried_request_is_blamed_when_it_returns(
    workers: Workers,
) -> None:
    hosted = host(Ranker(lambda: time.sleep(0.2)), budget=0.1, failures=1)
    await Waiter(workers).run(score(hosted), 0.06)
    assert hosted.state.name == "on"
    await asyncio.sleep(0.25)
    assert hosted.hung == 0
    assert hosted.state.name == "tripped"


async def test_a_try_that_is_cut_short_is_followed_by_another(workers: Workers) -> None:
    ranker = Ranker(lambda: time.sleep(0.2))
    hosted = host(ranker, budget=0.1, failures=1, retry=0.05)
    await Waiter(workers).run(score(hosted), 5)
    await asyncio.sleep(0.2)
    assert hosted.state.name == "tripped"
    ranker.does = lambda: time.sleep(0.02)
    (cut,) = await Waiter(workers).run(score(hosted), 0.03)
    assert isinstance(cut, Missing)
    assert ranker.calls == 2
    await asyncio.sleep(0.05)
    (answer,) = await Waiter(workers).run(score(hosted), 5)
    assert not isinstance(answer, Missing)
    assert hosted.state.name == "on"


async def test_a_second_leg_takes_no_answer_to_another_question(
    workers: Workers, gate: threading.Event
) -> None:
    """The catalogue may change between two legs, and with it the items whose reasons are asked for."""
    telling, hangs = Ranker(), Ranker(lambda: gate.wait(20))
    speaks, stuck, batch = host(telling), host(hangs), batch_of(5)
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
