"""One child as the server sees it: the calls, and what becomes of it when one goes wrong."""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from vitrine.errors import InferenceTimeout, PluginFailed, Timeout
from vitrine.hosting.process import columns, frames, told
from vitrine.hosting.process.arena import Arena, Broken
from vitrine.hosting.process.channel import Channel, Kind, Message
from vitrine.hosting.process.child_process import ChildProcess
from vitrine.hosting.process.frames import Frame
from vitrine.hosting.process.told import Ask, Failure, Made, Start
from vitrine.plugin import FeatureColumns, MissingData

log = logging.getLogger(__name__)

# What a child says of a failure reaches people, and in part those who ask for recommendations.
_TEXT, _TRACE = 300, 4000

_made = msgspec.msgpack.Decoder(Made).decode
_ask = msgspec.msgpack.Decoder(Ask).decode
_failure = msgspec.msgpack.Decoder(Failure).decode


class StillWorking(Timeout):
    """The caller has no more time; the plugin has."""


class Handle:
    """A child. One thread at a time calls it; any thread may kill it.

    Args:
        start: How it starts.
    """

    def __init__(self, start: Start) -> None:
        self._name = start.name
        self._number = 0
        self._lock = threading.Lock()
        self._busy = False
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            left, right = socket.socketpair()
            ours.callback(left.close)
            theirs.callback(right.close)
            reads, writes = os.pipe()
            # Never written to: it is closed when this process ends, however it ends.
            ours.callback(os.close, writes)
            theirs.callback(os.close, reads)
            self._arena = Arena.create()
            ours.callback(self._arena.close)
            self._channel = Channel(left)
            length = self._arena.write(told.encode(start))
            self._process = ChildProcess(start.path, right.fileno(), self._arena.fd, reads)
            self._files = ours.pop_all()
        with contextlib.suppress(Broken):
            self._channel.send(Kind.START, 0, length, start.seconds)

    def made(self, deadline: float) -> Made:
        """What the plugin made, once it has.

        Raises:
            MissingData: The bundle lacks what the plugin needs.
            PluginFailed: It failed, crashed, or took until the deadline (on the clock of `time.monotonic`).
        """
        try:
            message = self._expect(deadline, Kind.MADE)
            return frames.read(_made, self._arena.read(message.length))
        except TimeoutError:
            raise PluginFailed("took too long to start") from None
        except Broken as error:
            raise self._crashed(error) from None

    def call(self, frame: bytes, features: FeatureColumns, deadline: float, until: float) -> Frame:
        """The child's answer to the frame of a call. It is killed after all errors but those that say otherwise.

        Args:
            frame: The call.
            features: Columns that it may ask for.
            deadline: When the answer must be there, on the clock of `time.monotonic`.
            until: Until when the plugin may work at it: how much longer is not its fault.

        Raises:
            StillWorking: The deadline has come before that; it is not killed, and must be called with `finish`.
            Timeout: The answer did not come by the deadline.
            PluginFailed: The plugin raised (it is not killed), crashed, or answered what makes no sense.
        """
        with self._lock:
            if self._process.killed:
                raise PluginFailed("its process ended")
            if time.monotonic() >= deadline:
                raise Timeout("there was no time left for the plugin")
            self._busy = True
        fine = False
        try:
            self._number += 1
            self._send(Kind.CALL, frame, max(deadline, until) - time.monotonic())
            answer = self._answer(deadline, lambda ask: columns.answer(features, ask))
            decoded = frames.decode(answer)
            fine = True
        except _Failed as failed:
            fine = not failed.fatal
            raise
        except TimeoutError:
            fine = time.monotonic() < until
            raise (StillWorking if fine else Timeout)("the plugin did not answer in its time") from None
        except (Broken, OSError) as error:
            raise self._crashed(error) from None
        else:
            return decoded
        finally:
            if not fine:
                self.kill()
            with self._lock:
                self._busy = False
                self._let_go()

    def finish(self, until: float) -> None:
        """Waits until the child has done what nobody waits for any more, or kills it."""
        with self._lock:
            self._busy = not self._process.reaped
        try:
            self._answer(until, lambda _: columns.refusal(InferenceTimeout("the call is over")))
        except _Failed as failed:
            if failed.fatal:
                self.kill()
        except (TimeoutError, Broken, OSError):
            self.kill()
        finally:
            with self._lock:
                self._busy = False
                self._let_go()

    @property
    def usable(self) -> bool:
        """Whether it is there, and waits for a call."""
        return not self._process.killed and self._channel.quiet()

    def kill(self) -> None:
        """Ends it and whatever it has started; idempotent."""
        self._process.kill()

    def wait(self) -> str:
        """Waits until it has ended, and lets go of what it had; how it ended, in words."""
        how = self._process.wait()
        with self._lock:
            self._let_go()
        return how

    def _let_go(self) -> None:
        """Closes this side's files, once the child is gone and nobody is in a call."""
        if self._process.reaped and not self._busy:
            self._files.close()

    def _answer(self, deadline: float, columns_for: Callable[[Ask], bytes]) -> bytes:
        """The frame of the answer to a call; answers questions for columns in between."""
        while True:
            message = self._expect(deadline, Kind.ANSWER, Kind.ASK)
            frame = self._arena.read(message.length)
            if message.kind is Kind.ANSWER:
                self._arena.trim()
                return frame
            self._send(Kind.COLUMNS, columns_for(frames.read(_ask, frame)))

    def _send(self, kind: Kind, frame: bytes, seconds: float = 0.0) -> None:
        self._channel.send(kind, self._number, self._arena.write(frame), max(seconds, 0.0))

    def _expect(self, deadline: float, *kinds: Kind) -> Message:
        """The next message if it is of one of these kinds.

        Raises:
            _Failed: It tells of a failure.
        """
        message = self._channel.receive(deadline)
        if message.number != self._number or message.kind not in (*kinds, Kind.FAILED):
            raise Broken(f"sent {message.kind.name} for call {message.number} in call {self._number}")
        if message.kind is Kind.FAILED:
            failure = frames.read(_failure, self._arena.read(message.length))
            if failure.trace:
                log.error("plugin '%s' %s\n%s", self._name, failure.text[:_TEXT], failure.trace[-_TRACE:])
            if failure.missing and Kind.MADE in kinds:
                raise MissingData(failure.text[:_TEXT])
            raise _Failed(failure)
        return message

    def _crashed(self, error: Exception) -> PluginFailed:
        log.error("plugin '%s': its process %s", self._name, error)
        return PluginFailed("its process ended" if str(error) == "ended" else "its process talked nonsense")


class _Failed(PluginFailed):
    """The plugin said itself that it failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text[:_TEXT])
        self.fatal = failure.fatal
