"""A plugin's process: ``python -m vitrine.hosting.process.child SOCKET ARENA LIFELINE``, inherited file descriptors.

The server starts it (`vitrine.hosting.process.handle`) and writes one frame at a time into the arena; this reads it,
calls the plugin, and writes the answer in its place. It ends when the server does.
"""

import faulthandler
import gc
import logging
import os
import socket
import sys
import time
import traceback
from typing import NoReturn

import msgspec

from vitrine.errors import PluginFailed
from vitrine.hosting.process import frames, told
from vitrine.hosting.process.arena import Arena, Broken
from vitrine.hosting.process.batches import decode_call
from vitrine.hosting.process.channel import Channel, Kind, Message
from vitrine.hosting.process.columns import RemoteColumns
from vitrine.hosting.process.frames import Frame
from vitrine.hosting.process.limits import IDLE_SECONDS, end_after, end_with, limit_memory
from vitrine.hosting.process.loading import Parts, load
from vitrine.hosting.process.results import encode_result
from vitrine.hosting.process.told import Ask, Failure, Start
from vitrine.plugin import MissingData

_TRACE = 4000


class Child:
    """Answers the server's calls, one at a time."""

    def __init__(self, channel: Channel, arena: Arena) -> None:
        self._channel = channel
        self._arena = arena
        self._server = os.getppid()
        self._number = 0

    def run(self) -> None:
        """Starts the plugin and answers calls until the server goes.

        Raises:
            Broken: It went.
        """
        parts = self._start()
        # What a plugin made stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        while True:
            message = self._wait()
            self._number = message.number
            # A server that is alive ends a call itself, well before.
            end_after(2 * message.seconds + 1)
            answer = self._answer(parts, message)
            end_after(IDLE_SECONDS)
            self._send(Kind.ANSWER if isinstance(answer, bytes) else Kind.FAILED, answer)

    def _start(self) -> Parts:
        message = self._channel.receive()
        end_after(2 * message.seconds + 1)
        start = msgspec.msgpack.decode(self._arena.read(message.length), type=Start)
        logging.basicConfig(
            level=logging.INFO,
            format=f"%(asctime)s %(levelname)-7s plugin {start.name}: %(name)s: %(message)s",
        )
        sys.path[:] = start.path
        limit_memory(start.memory_mb)
        try:
            parts = load(start)
        except BaseException as error:  # noqa: BLE001 (the server reports it)
            self._send(Kind.FAILED, _failure("start", error))
            raise Broken("the plugin cannot start") from None
        self._send(Kind.MADE, told.encode(parts.made))
        return parts

    def _wait(self) -> Message:
        """The next call. A fork of the server may hold the other end of the channel, so that its end is not enough."""
        while os.getppid() == self._server:
            end_after(IDLE_SECONDS)
            try:
                return self._channel.receive(time.monotonic() + IDLE_SECONDS / 3)
            except TimeoutError:
                continue
        raise Broken("ended")

    def _answer(self, parts: Parts, message: Message) -> bytes | Failure:
        method = ""
        try:
            call = decode_call(self._arena.read(message.length), lambda n: RemoteColumns(self._ask, n))
            method = call.method
            part = parts.ranker if call.target == "ranker" else parts.block
            result = getattr(part, method)(call.batch, *call.arguments)
        except Broken:
            raise
        except BaseException as error:  # noqa: BLE001 (SystemExit and its like, too)
            return _failure(method, error)
        try:
            return encode_result(result)
        except TypeError as error:
            return Failure(f"answered {error}")
        except BaseException as error:  # noqa: BLE001 (an answer may be an object of the plugin's)
            return _failure(method, error)

    def _ask(self, ask: Ask) -> Frame:
        """What the server answers to a question, in the middle of a call."""
        self._send(Kind.ASK, told.encode(ask))
        return frames.decode(self._arena.read(self._channel.receive().length))

    def _send(self, kind: Kind, what: bytes | Failure) -> None:
        frame = what if isinstance(what, bytes) else told.encode(what)
        self._channel.send(kind, self._number, self._arena.write(frame))
        if isinstance(what, Failure) and what.fatal:
            raise MemoryError


def _failure(method: str, error: BaseException) -> Failure:
    if isinstance(error, MissingData | PluginFailed):
        return Failure(str(error), missing=isinstance(error, MissingData))
    trace = "".join(traceback.format_exception(error))[-_TRACE:]
    kind = type(error).__name__
    if isinstance(error, MemoryError):
        return Failure("ran out of memory (memory_mb)", trace=trace, fatal=True)
    return Failure(f"raised {kind} in {method}", trace=trace)


def main() -> NoReturn:
    """Runs the process; whatever threads the plugin has started end with it."""
    code = 1
    try:
        sock, arena, lifeline = (int(argument) for argument in sys.argv[1:])
        for fd in (sock, arena, lifeline):
            os.set_inheritable(fd, False)
        end_with(lifeline)
        # Says where a plugin crashed.
        faulthandler.enable()
        # By lines: what a plugin printed before it crashed is not lost.
        sys.stdout = sys.stderr
        Child(Channel(socket.socket(fileno=sock)), Arena(arena)).run()
    except Broken:
        code = 0
    except BaseException:
        logging.getLogger(__name__).exception("a plugin's process failed")
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
