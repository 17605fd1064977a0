"""The channel carries messages, never blocks a writer, and refuses what is none."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from vitrine.hosting.process.arena import Broken
from vitrine.hosting.process.channel import Channel, Kind, Message


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


def test_a_message_comes_through_in_pieces_too(pair: tuple[Channel, socket.socket]) -> None:
    ours, theirs = pair
    ours.send(Kind.CALL, 7, 1 << 40, 0.25)
    data = theirs.recv(100)
    assert len(data) == 24
    theirs.send(data[:10])
    threading.Timer(0.05, theirs.send, [data[10:]]).start()
    assert ours.receive(time.monotonic() + 5) == Message(Kind.CALL, 7, 1 << 40, 0.25)


def test_waiting_ends_at_the_deadline(pair: tuple[Channel, socket.socket]) -> None:
    before = time.monotonic()
    with pytest.raises(TimeoutError):
        pair[0].receive(before + 0.05)
    assert 0.05 <= time.monotonic() - before < 0.5


@pytest.mark.parametrize("garbage", [b"\0" * 24, b"\xff" * 24, b"garbage that goes on and on and on"])
def test_garbage_is_refused(pair: tuple[Channel, socket.socket], garbage: bytes) -> None:
    pair[1].send(garbage)
    assert not pair[0].quiet()
    with pytest.raises(Broken):
        pair[0].receive(time.monotonic() + 1)


def test_the_end_of_the_other_side_is_noticed(pair: tuple[Channel, socket.socket]) -> None:
    ours, theirs = pair
    assert ours.quiet()
    theirs.close()
    assert not ours.quiet()
    with pytest.raises(Broken):
        ours.receive(time.monotonic() + 1)
    with pytest.raises(Broken):
        ours.send(Kind.CALL, 1, 0)


def test_a_side_that_never_reads_cannot_block_the_other(pair: tuple[Channel, socket.socket]) -> None:
    def flood() -> None:
        for number in range(1_000_000):
            pair[0].send(Kind.CALL, number, 0)

    before = time.monotonic()
    with pytest.raises(Broken):
        flood()
    assert time.monotonic() - before < 10
