"""Methods of a gRPC server whose messages are bytes, beside a servicer that has the others."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import grpc


def handlers(
    service: str,
    methods: Mapping[str, "grpc.RpcMethodHandler[Any, Any]"],
    others: Callable[[grpc.aio.Server], None] = lambda _: None,
) -> Callable[[grpc.aio.Server], None]:
    """What adds some methods of a service to a server, and those that it has not from what adds a servicer."""

    def add(server: grpc.aio.Server) -> None:
        have = _Methods()
        others(cast("grpc.aio.Server", have))
        every = {**have.found, **methods}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, every),))
        server.add_registered_method_handlers(service, every)

    return add


class _Methods:
    """Takes what generated code adds to a server: with both ways of adding, the registered ones are asked first."""

    def __init__(self) -> None:
        self.found: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same methods, for older versions of gRPC."""

    def add_registered_method_handlers(
        self, service: str, methods: Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
    ) -> None:
        """By name."""
        del service
        self.found.update(methods)


def raw(call: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    """A method whose messages stay bytes."""
    return grpc.unary_unary_rpc_method_handler(call, _same, _same)


def parsed(call: Any, parse: Callable[[bytes], Any]) -> "grpc.RpcMethodHandler[Any, Any]":
    """A method whose request comes as bytes and as a message."""
    return grpc.unary_unary_rpc_method_handler(call, lambda data: (data, parse(data)), _same)


def _same(data: bytes) -> bytes:
    return data
