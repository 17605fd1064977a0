"""Answers that a handler has as bytes already: to parse them, only to have gRPC write them again, would cost more than they."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def written(kind: type[M], data: bytes) -> M:
    """The bytes of a message in its place, for a handler to answer: nothing but `writing` may be done with them."""
    del kind
    return cast("M", data)


def writing(serialise: Callable[[Any], bytes] | None) -> Callable[[Any], bytes] | None:
    """A serialiser that lets be what is `written`; ``None``, which lets everything be, stays."""
    if serialise is None:
        return None
    return lambda response: response if isinstance(response, bytes) else serialise(response)
