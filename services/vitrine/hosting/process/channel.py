"""Messages of 24 bytes between the server and a plugin's process: what lies in the arena, and how long there is.

Each side waits for the other's answer before it writes again, so the socket is never full: writing never blocks.
"""

import math
import select
import socket
import struct
import time
from enum import IntEnum
from typing import NamedTuple

from vitrine.hosting.process.arena import Broken

_FORM = struct.Struct("<B3xIQd")


class Kind(IntEnum):
    """What a message is about; the first three go to the child."""

    START = 1
    CALL = 2
    COLUMNS = 3
    MADE = 4
    ANSWER = 5
    FAILED = 6
    ASK = 7


class Message(NamedTuple):
    """What it is about, the number of the call, the length of the frame in the arena, and seconds that are left."""

    kind: Kind
    number: int
    length: int
    seconds: float


_KINDS = {int(kind): kind for kind in Kind}


class Channel:
    """One end of the socket. One thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def send(self, kind: Kind, number: int, length: int, seconds: float = 0.0) -> None:
        """Sends a message.

        Raises:
            Broken: The other side is gone or does not read.
        """
        try:
            sent = self._socket.send(_FORM.pack(kind, number, length, seconds))
        except OSError as error:
            raise Broken(f"cannot be written to ({error.strerror})") from None
        if sent != _FORM.size:
            raise Broken("does not read")

    def receive(self, deadline: float = math.inf) -> Message:
        """The next message.

        Args:
            deadline: How long to wait, on the clock of `time.monotonic`.

        Raises:
            TimeoutError: None has come by then.
            Broken: The other side is gone, or it sent something that is no message.
        """
        data = b""
        while len(data) < _FORM.size:
            left = None if deadline == math.inf else (deadline - time.monotonic()) * 1000
            if left is not None and left <= 0:
                raise TimeoutError
            try:
                # Rounded up by poll itself: it never wakes before its time.
                self._poll.poll(left)
                more = self._socket.recv(_FORM.size - len(data))
            except BlockingIOError:
                continue
            except OSError as error:
                raise Broken(f"cannot be read from ({error.strerror})") from None
            if not more:
                raise Broken("ended")
            data += more
        number, *rest = _FORM.unpack(data)
        kind = _KINDS.get(number)
        if kind is None:
            raise Broken(f"sent a message of kind {number}")
        return Message(kind, *rest)

    def quiet(self) -> bool:
        """Whether nothing has come, the end of the other side included: as it should be between two calls."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Closes this end; idempotent."""
        self._socket.close()
