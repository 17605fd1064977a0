"""A child that lies in its messages or frames is killed, and its call fails; nothing is made of what it said."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest

from tests.unit.hosting.process.test_frames import framed
from vitrine.errors import PluginFailed
from vitrine.features import NoFeatures
from vitrine.hosting.process import frames, handle
from vitrine.hosting.process.arena import Arena, Broken
from vitrine.hosting.process.channel import Channel, Kind
from vitrine.hosting.process.handle import Handle
from vitrine.hosting.process.results import decode_result
from vitrine.hosting.process.told import Start

Lie = Callable[[Channel, Arena, int], None]


class Liar:
    """Stands for the process: a thread that answers the first call with a lie."""

    def __init__(self, lie: Lie, _path: list[str], sock: int, arena: int, _lifeline: int) -> None:
        self.killed = self.reaped = False
        self._socket = socket.socket(fileno=os.dup(sock))
        self._arena = Arena(os.dup(arena))
        self._lie = lie
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        channel = Channel(self._socket)
        assert channel.receive(time.monotonic() + 20).kind is Kind.START
        self._lie(channel, self._arena, channel.receive(time.monotonic() + 20).number)

    def kill(self) -> None:
        self.killed = True

    def wait(self) -> str:
        self._thread.join()
        self._socket.close()
        self._arena.close()
        self.reaped = True
        return "signal 9"


def says(kind: Kind, frame: bytes, length: int | None = None, ahead: int = 0) -> Lie:
    """Writes a frame and tells of it: with its length and the number of the call, or others."""

    def lie(channel: Channel, arena: Arena, number: int) -> None:
        written = arena.write(frame)
        channel.send(kind, number + ahead, written if length is None else length)

    return lie


def shrinks(channel: Channel, arena: Arena, number: int) -> None:
    os.ftruncate(arena.fd, 0)
    channel.send(Kind.ANSWER, number, 64)


TRUE = frames.encode("array", [np.arange(3.0)])
LIES: dict[str, Lie] = {
    "longer than may be": says(Kind.ANSWER, TRUE, 1 << 60),
    "longer than the file": says(Kind.ANSWER, TRUE, 1 << 20),
    "shorter than the frame": says(Kind.ANSWER, TRUE, len(TRUE) - 16),
    "nothing": says(Kind.ANSWER, TRUE, 0),
    "shrinks the file": shrinks,
    "of the call before": says(Kind.ANSWER, TRUE, ahead=-1),
    "of the next call": says(Kind.ANSWER, TRUE, ahead=1),
    "a start": says(Kind.START, TRUE),
    "a call": says(Kind.CALL, TRUE),
    "made": says(Kind.MADE, TRUE),
    "overlapping arrays": says(
        Kind.ANSWER, framed(["array", [["<f4", [3]], ["<f4", [3]]], [], 0.0], b"\0" * 12)
    ),
    "a huge array": says(Kind.ANSWER, framed(["array", [["<f4", [1 << 40, 1 << 40]]], [], 0.0], b"\0" * 12)),
    "objects": says(Kind.ANSWER, framed(["array", [["|O", [1]]], [], 0.0], b"\1" * 16)),
    "no MessagePack": says(Kind.ANSWER, b"\4\0\0\0" + b"\xc1" * 60),
    "no UTF-8": says(Kind.ANSWER, b"\4\0\0\0" + b"\xa3\xff\xff\xff" * 15),
    "a failure of nonsense": says(Kind.FAILED, b"\xff" * 64),
    "a question of nonsense": says(Kind.ASK, b"\xff" * 64),
    "a question for what there is not": says(Kind.ASK, b"\x82\xa6method\xa5close\xa5names\x90"),
}


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Lie], Handle]]:
    made: list[Handle] = []

    def make(lie: Lie) -> Handle:
        monkeypatch.setattr(handle, "ChildProcess", partial(Liar, lie))
        start = Start(
            path=[],
            name="liar",
            bundle_path=None,
            bundle_version="",
            settings={},
            inference={},
            memory_mb=64,
            seconds=1.0,
        )
        made.append(Handle(start))
        return made[-1]

    yield make
    for one in made:
        one.wait()


def ask(child: Handle) -> frames.Frame:
    deadline = time.monotonic() + 20
    return child.call(b"a call", NoFeatures(), deadline, deadline)


def test_the_truth_is_believed(liar: Callable[[Lie], Handle]) -> None:
    child = liar(says(Kind.ANSWER, TRUE))
    assert ask(child).arrays[0].tolist() == [0, 1, 2]
    assert child.usable


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_the_last(liar: Callable[[Lie], Handle], lie: str) -> None:
    child = liar(LIES[lie])
    with pytest.raises(PluginFailed, match="talked nonsense"):
        ask(child)
    assert not child.usable
    with pytest.raises(PluginFailed, match="its process ended"):
        ask(child)


@pytest.mark.parametrize("method", ["score", "explain", "group_shares", "attribute", "compute", "close"])
@pytest.mark.parametrize(
    "frame",
    [
        frames.encode("array", [np.zeros(1), np.zeros(1)]),
        frames.encode("columns", [np.zeros(1)], ["a", "b"]),
        frames.encode("attribution", [np.zeros(1)]),
        frames.encode("other"),
    ],
)
def test_an_answer_to_another_question_is_none(method: str, frame: bytes) -> None:
    with pytest.raises(Broken, match="answered"):
        decode_result(method, frames.decode(frame))
