"""Messages between owner and worker arrive whole and in order, however the socket cuts them."""

import asyncio
import socket

import msgspec
import pytest

from vitrine.app.workers.link import Link
from vitrine.app.workers.messages import Activity, Changed, Forget, ToWorker


async def _ends() -> tuple[Link, Link, list[object], asyncio.Event]:
    one, other = socket.socketpair()
    taken: list[object] = []
    lost = asyncio.Event()
    here = await Link.over(one, ToWorker, lambda _: None, lambda: None)
    there = await Link.over(other, ToWorker, taken.append, lost.set)
    return here, there, taken, lost


async def test_messages_of_all_sizes_arrive_in_order() -> None:
    here, there, taken, lost = await _ends()
    sent = [Activity(bytes([n % 256]) * size) for n, size in enumerate((0, 1, 70_000, 3_000_000, 5, 200_000))]
    for message in sent:
        here.send(message)
    here.close()
    await asyncio.wait_for(lost.wait(), 5)
    assert taken == sent
    there.close()


@pytest.mark.parametrize("step", [1, 2, 3, 5, 1000])
def test_messages_are_put_together_from_any_pieces(step: int) -> None:
    taken: list[object] = []
    link = Link(ToWorker, taken.append, lambda: None)
    sent = [Changed(5), Activity(b"x" * 300), Forget(7), Changed(2**40)]
    packed = [msgspec.msgpack.encode(message) for message in sent]
    data = b"".join(len(p).to_bytes(4, "little") + p for p in packed)
    for start in range(0, len(data), step):
        link.data_received(data[start : start + step])
    assert taken == sent


async def test_to_a_side_that_is_gone_nothing_is_sent() -> None:
    here, there, taken, lost = await _ends()
    here.close()
    await asyncio.wait_for(lost.wait(), 5)
    here.send(Changed(1))
    there.send(Changed(1))
    assert taken == []
