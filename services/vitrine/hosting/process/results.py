"""What a method answers, as a frame and back. Whether it is right is for the host to check, as with any plugin."""

from collections.abc import Mapping
from typing import Any

from vitrine.hosting.process import frames
from vitrine.hosting.process.arena import Broken
from vitrine.hosting.process.frames import Frame
from vitrine.plugin import Attribution


def encode_result(result: object) -> bytes:
    """The frame.

    Raises:
        TypeError: It is nothing that a method of the contract answers; the text says what it is.
    """
    if isinstance(result, Attribution):
        names, base = tuple(map(str, result.columns)), float(result.base)
        return frames.encode("attribution", (result.values, result.shares), names, base)
    if isinstance(result, Mapping):
        return frames.encode("columns", list(result.values()), tuple(map(str, result)))
    return frames.encode("array", [result])


def decode_result(method: str, frame: Frame) -> Any:
    """The answer; arrays are read-only, and copies that the child cannot reach.

    Raises:
        Broken: It is not what this method answers.
    """
    match method, frame.kind, frame.arrays:
        case "attribute", "attribution", (values, shares):
            return Attribution(frame.names, values, shares, frame.number)
        case "compute", "columns", arrays if len(arrays) == len(frame.names):
            return dict(zip(frame.names, arrays, strict=True))
        case (("score" | "explain" | "group_shares"), "array", (array,)):
            return array
    raise Broken(f"answered '{method}' with {frame.kind} of {len(frame.arrays)} arrays")
