"""The interceptor around every handler: bad bytes, errors, times and counts are dealt with here and nowhere else."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from grpc.aio import ServerInterceptor

from vitrine.errors import InvalidInput, TooLarge, VitrineError
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.status import internal, status_of

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


class Guard(ServerInterceptor):
    """Wraps the handlers of Vitrine's own services.

    Args:
        metrics: Counts calls by method and code, and their times.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Replaces the handler by a guarded one."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or not method.startswith("/vitrine."):
            return handler
        parse = _careful(handler.request_deserializer)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(method, handler.unary_stream), parse, handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(method, handler.unary_unary), parse, handler.response_serializer
        )

    def _unary(self, method: str, behaviour: Any) -> Any:
        async def call(request: Any, context: Context) -> Any:
            started = time.perf_counter()
            code = "OK"
            try:
                if isinstance(request, VitrineError):
                    raise request
                return await behaviour(request, context)
            except Exception as error:  # noqa: BLE001 - logged or explained below
                code, status = _explain(error, method)
                await context.abort_with_status(status)
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            finally:
                self._metrics.called(method, code, time.perf_counter() - started)

        return call

    def _stream(self, method: str, behaviour: Any) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            code = "OK"
            try:
                if isinstance(request, VitrineError):
                    raise request
                async for response in behaviour(request, context):
                    yield response
            except Exception as error:  # noqa: BLE001 - logged or explained below
                code, status = _explain(error, method)
                await context.abort_with_status(status)
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            finally:
                self._metrics.called(method, code, None)

        return call


def _explain(error: Exception, method: str) -> tuple[str, grpc.Status]:
    if isinstance(error, VitrineError) and error.status != "INTERNAL":
        return error.status, status_of(error)
    incident = secrets.token_hex(4)
    log.error("incident %s: %s failed", incident, method, exc_info=error)
    return "INTERNAL", internal(incident)


def _careful(parse: Any) -> Any:
    """A deserialiser that answers an error instead of raising one: gRPC would leak the parser's text."""

    def careful(data: bytes) -> Any:
        if len(data) > MAX_MESSAGE_BYTES:
            return TooLarge(
                f"the message has {len(data):,} bytes; at most {MAX_MESSAGE_BYTES:,} are accepted: send less per call"
            )
        try:
            return parse(data)
        except Exception:  # noqa: BLE001 - the parser's own words stay here
            return InvalidInput("message", "is not a valid protobuf message of this method's request type")

    return careful
