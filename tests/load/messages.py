"""Files of requests as ghz reads them: protobuf messages, each behind its length as a varint."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def write(path: Path, messages: Iterable[Message]) -> int:
    """Writes messages and returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        for message in messages:
            body = message.SerializeToString()
            file.write(_varint(len(body)) + body)
            count += 1
    return count


def read(path: Path, kind: type[M], most: int) -> list[M]:
    """Reads the first messages that `write` wrote."""
    messages: list[M] = []
    data, at = path.read_bytes(), 0
    while at < len(data) and len(messages) < most:
        length, shift = 0, 0
        while True:
            byte = data[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        messages.append(kind.FromString(data[at : at + length]))
        at += length
    return messages


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
