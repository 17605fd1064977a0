"""A worker answers whatever it is asked, and keeps nothing of what nobody waits for."""

import asyncio
from types import SimpleNamespace
from typing import Any

from google.rpc import status_pb2

from vitrine.app.workers.answering import Answering
from vitrine.app.workers.given import GivenClock
from vitrine.app.workers.messages import Ask, Forget, Method
from vitrine.app.workers.serving import Worker


async def test_nothing_is_kept_of_a_call_that_is_forgotten_before_it_begins() -> None:
    worker: Any = Worker()
    for number in range(5):
        # Both in one piece from the socket, as they come to a worker that is behind.
        worker._take(Ask(number, Method.RANK, 1.0, 0.0, 0, b""))
        worker._take(Forget(number))
    await asyncio.sleep(0.01)
    assert not worker._tasks


async def test_a_catalogue_that_cannot_be_read_is_answered_for() -> None:
    def refresh(_: int) -> None:
        raise OSError("/srv/store/catalog.db: disk I/O error")

    answering: Any = Answering.__new__(Answering)
    mirror = SimpleNamespace(catalog=SimpleNamespace(revision=1), refresh=refresh)
    answering._made = SimpleNamespace(clock=GivenClock(0.0), mirror=mirror)
    answer = await answering.answer(Ask(7, Method.RANK, -1.0, 0.0, 2, b""))
    assert (answer.number, answer.code) == (7, "INTERNAL")
    assert "catalog.db" not in status_pb2.Status.FromString(answer.data).message
