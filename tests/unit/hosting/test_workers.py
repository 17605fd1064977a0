"""Threads for requests end with the server, whatever hangs in them."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from vitrine.hosting import workers as module
from vitrine.hosting.workers import Workers


def test_all_that_hang_together_hold_up_the_end_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_JOIN_SECONDS", 0.2)
    gate, workers = threading.Event(), Workers(4)
    hangs = [workers.submit(gate.wait, 20) for _ in range(4)]
    started = time.monotonic()
    workers.shutdown()
    assert time.monotonic() - started < 0.5
    gate.set()
    assert all(future.result(5) for future in hangs), "what was at work is let finish"


def test_one_who_asks_at_a_time_is_always_answered_by_the_thread_that_is_warm() -> None:
    gate, workers = threading.Barrier(3), Workers(3)
    together = [workers.submit(gate.wait, 20) for _ in range(3)]
    assert sorted(future.result(5) for future in together) == [0, 1, 2]
    _wait_for(lambda: len(workers._idle) == 3)
    who = set()
    for _ in range(20):
        who.add(workers.submit(threading.get_ident).result(5))
        _wait_for(lambda: len(workers._idle) == 3)
    assert len(who) == 1
    workers.shutdown()


def test_no_task_is_left_lying_however_they_come() -> None:
    workers = Workers(3)
    done: list[int] = []

    def call() -> None:
        done.extend(workers.submit(int, "7").result(5) for _ in range(400))

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert done == [7] * 2400
    more = [workers.submit(int, "7") for _ in range(500)]
    workers.shutdown()
    assert [future.result(5) for future in more] == [7] * 500


def test_what_comes_as_a_thread_goes_to_wait_is_done() -> None:
    class Slow(list[Any]):
        """Who looks learns late that nobody waits."""

        def __len__(self) -> int:
            found = super().__len__()
            if not found:
                time.sleep(0.1)
            return found

        def pop(self, *at: Any) -> Any:
            return super().pop(*at) if len(self) else [].pop()

    workers = Workers(1)
    workers.submit(int).result(5)
    _wait_for(lambda: len(workers._idle) == 1)
    workers._idle = Slow(workers._idle)
    busy, next_one = workers.submit(time.sleep, 0.03), workers.submit(int, "7")
    assert (busy.result(5), next_one.result(5)) == (None, 7)
    workers.shutdown()


def _wait_for(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.0005)
