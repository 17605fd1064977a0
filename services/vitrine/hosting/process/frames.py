"""Arrays and a header as one frame of bytes. Nothing in a frame is believed before it has been checked."""

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.hosting.process.arena import LIMIT, Broken

Array = npt.NDArray[Any]
T = TypeVar("T")

_SIZE = struct.Struct("<I")
_ALIGN = 16
_PADS = tuple(b"\0" * (-n % _ALIGN) for n in range(_ALIGN))
# Numbers alone, in the order of bytes of every machine that this runs on.
_DTYPES = {
    text: np.dtype(text)
    for text in ("<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1")
}


class Frame(NamedTuple):
    """What a frame holds.

    Attributes:
        kind: What it is: the meaning of the rest.
        arrays: Read-only.
        names: Strings that belong to them.
        number: A number that does.
    """

    kind: str
    arrays: tuple[Array, ...] = ()
    names: tuple[str, ...] = ()
    number: float = 0.0


class _Head(msgspec.Struct, array_like=True, gc=False):
    kind: str
    arrays: tuple[tuple[str, tuple[int, ...]], ...]
    names: tuple[str, ...]
    number: float


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Head).decode


def join(head: bytes, parts: Sequence[bytes | Array]) -> bytes:
    """A frame: the length of the head, the head, and the parts from the next multiple of 16 bytes on.

    Raises:
        ValueError: It is too long.
    """
    pieces: list[Any] = [_SIZE.pack(len(head)), head, _PADS[(_SIZE.size + len(head)) % _ALIGN], *parts]
    frame = b"".join(pieces)
    if len(frame) > LIMIT:
        raise ValueError(f"more than {LIMIT >> 20} MiB in one call; ask with fewer candidates")
    return frame


def split(frame: bytes) -> tuple[bytes, int]:
    """The head, and where the parts begin.

    Raises:
        Broken: There is no head.
    """
    if len(frame) < _SIZE.size:
        raise Broken("sent a frame without a head")
    end = _SIZE.size + _SIZE.unpack_from(frame)[0]
    if end > len(frame):
        raise Broken("sent a frame with half a head")
    return frame[_SIZE.size : end], end + -end % _ALIGN


def read(decoder: Callable[[bytes], T], text: bytes) -> T:
    """What a decoder makes of text of the other side.

    Raises:
        Broken: It makes no sense.
    """
    try:
        return decoder(text)
    # Of bytes that are no UTF-8, and of lists in lists without end, msgspec says so in Python's own words.
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(f"sent what makes no sense ({error})") from None


def encode(kind: str, arrays: Sequence[object] = (), names: Sequence[str] = (), number: float = 0.0) -> bytes:
    """A frame of arrays.

    Raises:
        TypeError: One is no array of numbers; the text says what it is.
    """
    told: list[tuple[str, tuple[int, ...]]] = []
    parts: list[bytes | Array] = []
    for array in arrays:
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{type(array).__name__} instead of an array")
        if array.dtype.str not in _DTYPES:
            raise TypeError(f"an array of {array.dtype.name}")
        told.append((array.dtype.str, array.shape))
        # Not `ascontiguousarray`, which makes one dimension of none.
        parts += (np.asarray(array, order="C"), _PADS[array.nbytes % _ALIGN])
    return join(_encode((kind, told, names, number)), parts)


def decode(frame: bytes) -> Frame:
    """The inverse of `encode`; the arrays are views of the frame.

    Raises:
        Broken: The bytes are no such frame.
    """
    head_bytes, at = split(frame)
    head = read(_decode, head_bytes)
    arrays = []
    for code, shape in head.arrays:
        dtype = _DTYPES.get(code)
        # Python's integers do not overflow.
        if dtype is None or len(shape) > 4 or any(size < 0 for size in shape):
            raise Broken(f"sent an array of {code} with the shape {shape}")
        length = math.prod(shape) * dtype.itemsize
        if at + length > len(frame):
            raise Broken("sent an array that is longer than its frame")
        # Of many of nothing, numpy would still want to count the bytes.
        arrays.append(np.ndarray(shape, dtype, frame, at) if length else _nothing(shape, dtype))
        at += length + -length % _ALIGN
    return Frame(head.kind, tuple(arrays), head.names, head.number)


def _nothing(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array without a cell."""
    try:
        array = np.empty(shape, dtype)
    except ValueError:
        raise Broken(f"sent an array with the shape {shape}") from None
    array.flags.writeable = False
    return array
