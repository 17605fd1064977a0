"""The interceptor around every handler: bad bytes, errors, times and counts are dealt with here and nowhere else."""

import asyncio
import inspect
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, TypeAlias

import grpc
from grpc.aio import ServerInterceptor

from vitrine.errors import InvalidInput, TooLarge, VitrineError
from vitrine.rpc.limits import MAX_MESSAGE_BYTES
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.staged import STAGED, closing, failed, opening
from vitrine.rpc.status import internal, status_of
from vitrine.rpc.written import writing

log = logging.getLogger(__name__)


Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


def good(request: Any) -> Any:
    """The request, unless the deserialiser answered an error."""
    if isinstance(request, VitrineError):
        raise request
    return request


async def _checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield good(request)


class Guard(ServerInterceptor):
    """Wraps every handler, those of health and reflection too.

    Args:
        metrics: Counts calls by method and code, and their times.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._guarded: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Replaces the handler by a guarded one: gRPC asks at each call, and it is made at a method's first."""
        method = str(handler_call_details.method)
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(
        self, method: str, handler: "grpc.RpcMethodHandler[Any, Any]"
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        parse, serialise = careful(handler.request_deserializer), writing(handler.response_serializer)
        if handler.request_streaming:  # reflection
            return grpc.stream_stream_rpc_method_handler(
                self._stream(method, handler.stream_stream, checked=_checked), parse, serialise
            )
        if method in STAGED and serialise is not None:
            parse, serialise = opening(parse), closing(serialise, self._metrics)
        if not handler.response_streaming:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(method, handler.unary_unary), parse, serialise
            )
        behaviour = handler.unary_stream
        # Health's watch is a coroutine that writes by itself.
        guarded = (
            self._stream(method, behaviour)
            if inspect.isasyncgenfunction(behaviour)
            else self._unary(method, behaviour, timed=False)
        )
        return grpc.unary_stream_rpc_method_handler(guarded, parse, serialise)

    def _unary(self, method: str, behaviour: Any, *, timed: bool = True) -> Any:
        async def call(request: Any, context: Context) -> Any:
            async with _Around(self._metrics, method, context, timed=timed):
                return await behaviour(good(request), context)

        return call

    def _stream(self, method: str, behaviour: Any, checked: Callable[[Any], Any] = good) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with _Around(self._metrics, method, context, timed=False):
                async for response in behaviour(checked(request), context):
                    yield response

        return call


class _Around:
    """Turns the errors of a call into statuses, and counts it."""

    __slots__ = ("_context", "_method", "_metrics", "_started", "_timed")

    def __init__(self, metrics: Metrics, method: str, context: Context, *, timed: bool) -> None:
        self._metrics, self._method, self._context, self._timed = metrics, method, context, timed

    async def __aenter__(self) -> None:
        self._started = time.perf_counter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        code = "OK"
        try:
            if isinstance(error, grpc.aio.AbortError):  # health's own answer
                code = self._context.code().name
            elif isinstance(error, Exception):  # logged or explained below
                code, status = (
                    (error.code, error.status)
                    if isinstance(error, Forwarded)
                    else explain(error, self._method)
                )
                await self._context.abort_with_status(status)
            elif isinstance(error, asyncio.CancelledError):
                code = "CANCELLED"
        finally:
            if code != "OK" and self._method in STAGED:
                failed(self._metrics)
            self._metrics.called(
                self._method, code, time.perf_counter() - self._started if self._timed else None
            )


class Forwarded(Exception):
    """What another process of this server has refused or failed to do; ``status`` is as the caller shall see it."""

    def __init__(self, code: str, status: grpc.Status) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


def explain(error: Exception, method: str) -> tuple[str, grpc.Status]:
    """The code and the status for an error; what nobody foresaw goes to the log."""
    if isinstance(error, VitrineError) and error.status != "INTERNAL":
        return error.status, status_of(error)
    incident = secrets.token_hex(4)
    log.error("incident %s: %s failed", incident, method, exc_info=error)
    return "INTERNAL", internal(incident)


def careful(parse: Any) -> Any:
    """A deserialiser that answers an error instead of raising one: gRPC would leak the parser's text."""

    def parsing(data: bytes) -> Any:
        if len(data) > MAX_MESSAGE_BYTES:
            return TooLarge(
                f"the message has {len(data):,} bytes; at most {MAX_MESSAGE_BYTES:,} are accepted: send less per call"
            )
        try:
            return parse(data)
        except Exception:  # noqa: BLE001 - the parser's own words stay here
            return InvalidInput("message", "is not a valid protobuf message of this method's request type")

    return parsing
