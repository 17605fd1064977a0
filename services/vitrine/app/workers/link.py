"""One end of the socket between owner and worker: whole messages, in order, each with its length in front."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

import msgspec

_LENGTH = struct.Struct("<I")


class Link(asyncio.Protocol):
    """Sends and receives messages; use it in its event loop.

    Args:
        kind: The type of the messages that come in.
        take: Is given each.
        lost: Called once when the other side is gone, or sent what is no message.
    """

    def __init__(self, kind: Any, take: Callable[[Any], None], lost: Callable[[], None]) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._take = take
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._rest = bytearray()
        # Bytes of the message that has begun, as far as that is known.
        self._wanted = _LENGTH.size

    @classmethod
    async def over(
        cls, sock: socket.socket, kind: Any, take: Callable[[Any], None], lost: Callable[[], None]
    ) -> "Link":
        """A link over one end of a pair of stream sockets."""
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: cls(kind, take, lost), sock=sock)
        return link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        # That of uvloop is no subclass.
        self._transport = cast("asyncio.Transport", transport)
        # Nothing here waits for room: what may wait for a side that does not read is bounded elsewhere (`Admission`).

    def send(self, message: Any) -> None:
        """Sends a message; to a side that is gone, nothing."""
        self.send_encoded(self._encode(message))

    def send_encoded(self, data: bytes) -> None:
        """Sends a message that is MessagePack already, to several sides perhaps."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_LENGTH.pack(len(data)) + data)

    @property
    def unread(self) -> int:
        """Bytes that wait for room in the socket, because the other side does not read."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data, self._rest = bytes(self._rest), bytearray()
        start, end, self._wanted = 0, len(data), _LENGTH.size
        while end - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(data, start)
            self._wanted = _LENGTH.size + length
            if end - start < self._wanted:
                break
            stop = start + self._wanted
            self._take(self._decode(memoryview(data)[start + _LENGTH.size : stop]))
            start, self._wanted = stop, _LENGTH.size
        self._rest += memoryview(data)[start:]

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc  # whatever it was, the other side cannot be talked to
        self._transport = None
        self._lost()

    def close(self) -> None:
        """Sends what waits and closes this end."""
        if self._transport is not None:
            self._transport.close()
