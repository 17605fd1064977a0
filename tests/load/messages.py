"""Files of requests as ghz reads them: protobuf messages, each behind its length as a varint."""

import itertools
from collections.abc import Iterable, Iterator
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
    data = path.read_bytes()
    bodies = itertools.islice(_bodies(data), most)
    return [kind.FromString(data[start:end]) for start, end in bodies]


def rotate(path: Path, by: int) -> None:
    """Brings the messages after the first ``by`` to the front: what has been sent comes last."""
    data = path.read_bytes()
    ends = [0, *(end for _, end in _bodies(data))]
    cut = ends[by % max(1, len(ends) - 1)]
    path.write_bytes(data[cut:] + data[:cut])


def _bodies(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each message begins and ends, behind its length."""
    at = 0
    while at < len(data):
        length, shift = 0, 0
        while True:
            byte = data[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        yield at, at + length
        at += length


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
