"""A call goes to another worker where the first ends or hangs, once, and never beyond its deadline."""

import asyncio
from collections.abc import Collection
from typing import cast

import pytest

from vitrine.app.workers import calls
from vitrine.app.workers.calls import Call
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Answer, Ask
from vitrine.errors import Timeout, Unavailable


class Worker:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.heard = 0.0
        self.asked: list[Ask] = []
        self.forgotten: list[int] = []
        self.call: Call | None = None

    def ask(self, ask: Ask, call: Call) -> None:
        self.asked.append(ask)
        self.call = call

    def forget(self, number: int) -> None:
        self.forgotten.append(number)

    def end(self) -> None:
        assert self.call is not None
        self.call.lost(cast("Handle", self))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "DOUBT_SECONDS", 0.03)


def make(seconds: float, *workers: Worker) -> Call:
    def pick(tried: Collection[Handle], _: bool) -> Handle | None:
        left = [handle for handle in cast("tuple[Handle, ...]", workers) if handle not in tried]
        return left[0] if left else None

    return Call(Ask(1, 1, seconds, 0.0, 0, b""), pick, asyncio.get_running_loop())


async def test_the_answer_is_that_of_the_worker() -> None:
    one = Worker()
    call = make(1.0, one)
    call.begin()
    call.answered(Answer(1, b"window"))
    assert (await call.answer).data == b"window"


async def test_without_workers_it_is_refused_at_once() -> None:
    with pytest.raises(Unavailable):
        make(1.0).begin()


async def test_a_worker_that_ends_is_replaced_once_within_the_time_left() -> None:
    one, other, third = Worker(), Worker(), Worker()
    call = make(1.0, one, other, third)
    call.begin()
    await asyncio.sleep(0.01)
    one.end()
    assert 0.5 < other.asked[0].seconds < 1.0
    other.end()
    with pytest.raises(Unavailable):
        await call.answer
    assert not third.asked


async def test_where_no_other_is_there_the_end_of_the_worker_is_the_end_of_the_call() -> None:
    one = Worker()
    call = make(1.0, one)
    call.begin()
    one.end()
    with pytest.raises(Unavailable):
        await call.answer


async def test_a_worker_that_is_silent_gets_a_rival_and_the_first_answer_counts() -> None:
    one, other = Worker(), Worker()
    call = make(1.0, one, other)
    call.begin()
    await asyncio.sleep(0.06)
    assert len(one.asked) == len(other.asked) == 1
    call.answered(Answer(1, b"rival"))
    assert (await call.answer).data == b"rival"
    call.close()
    # The one that is late need not go on.
    assert one.forgotten == [1]


async def test_a_worker_that_answers_others_meanwhile_is_waited_for() -> None:
    one, other = Worker(), Worker()
    call = make(1.0, one, other)
    call.begin()
    for _ in range(6):
        one.heard = asyncio.get_running_loop().time()
        await asyncio.sleep(0.015)
    assert not other.asked
    # It answered somebody after it had been asked, and hangs since.
    await asyncio.sleep(0.08)
    assert other.asked
    call.close()


async def test_it_ends_with_its_deadline() -> None:
    call = make(0.05, Worker(), Worker())
    call.begin()
    with pytest.raises(Timeout):
        await asyncio.wait_for(call.answer, 1)
    call.close()
