"""The guard around handlers: what nobody foresaw becomes an incident number, and its text stays in the log."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.errors import (
    BundleError,
    InvalidInput,
    NotReady,
    Overloaded,
    TooLarge,
    Unavailable,
    VitrineError,
)
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

SECRET = "row 17 of /var/lib/vitrine/profile.db"
NAME = "vitrine.api.profile.v1.ProfileService"


class Failing:
    """Fails in every call with ``error``."""

    error: BaseException = KeyError(SECRET)

    def add_to(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "GetProfile": grpc.unary_unary_rpc_method_handler(
                self.get, profile_pb2.GetProfileRequest.FromString, _serialise
            ),
            "WatchActivity": grpc.unary_stream_rpc_method_handler(
                self.watch, profile_pb2.WatchActivityRequest.FromString, _serialise
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))

    async def get(self, request: Any, context: Any) -> profile_pb2.GetProfileResponse:
        raise self.error

    async def watch(self, request: Any, context: Any) -> AsyncIterator[profile_pb2.WatchActivityResponse]:
        yield profile_pb2.WatchActivityResponse(cursor="c-1")
        raise self.error


def _serialise(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


class Running:
    """A server with it on a port of its own, and a channel to that."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.servicer = Failing()

    async def __aenter__(self) -> Self:
        self._server = GrpcServer({NAME: self.servicer.add_to}, self.metrics)
        port = await self._server.start("127.0.0.1", 0)
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.stub: Any = profile_pb2_grpc.ProfileServiceStub(self.channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self._server.stop(0)

    async def failure(self, error: BaseException) -> Any:
        self.servicer.error = error
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.stub.GetProfile(profile_pb2.GetProfileRequest(), timeout=5)
        return caught.value

    async def counted(self, method: str, code: str) -> float:
        """How often; a failed call is counted just after its answer has left, so nothing is asked again for a moment."""
        labels = {"method": method, "code": code}
        for _ in range(200):
            if count := self.metrics.registry.get_sample_value("vitrine_rpc_total", labels):
                return count
            await asyncio.sleep(0.01)
        return 0.0


@pytest.mark.parametrize(
    "error", [KeyError(SECRET), RuntimeError(SECRET), MemoryError(SECRET), VitrineError(SECRET)], ids=repr
)
async def test_what_nobody_foresaw_is_an_incident(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    async with Running() as running:
        with caplog.at_level(logging.ERROR):
            failure = await running.failure(error)
        assert failure.code() is grpc.StatusCode.INTERNAL
        found = re.fullmatch(r"internal error; .* incident ([0-9a-f]{8})", failure.details())
        assert found
        assert SECRET not in str(failure.trailing_metadata())
        assert await running.counted(f"/{NAME}/GetProfile", "INTERNAL") == 1
    (record,) = [r for r in caplog.records if found[1] in r.getMessage()]
    assert record.exc_info
    assert record.exc_info[1] is error


async def test_a_stream_that_fails_halfway_is_an_incident_too() -> None:
    async with Running() as running:
        stream = running.stub.WatchActivity(profile_pb2.WatchActivityRequest(), timeout=5)
        assert (await stream.read()).cursor == "c-1"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "incident" in (caught.value.details() or "")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotReady("first this"), "FAILED_PRECONDITION"),
        (BundleError("first this"), "FAILED_PRECONDITION"),
        (TooLarge("first this"), "RESOURCE_EXHAUSTED"),
        (Overloaded("first this"), "UNAVAILABLE"),
        (Unavailable("first this"), "UNAVAILABLE"),
    ],
)
async def test_errors_own_their_status(error: VitrineError, code: str) -> None:
    async with Running() as running:
        failure = await running.failure(error)
        assert await running.counted(f"/{NAME}/GetProfile", code) == 1
    assert failure.code() is grpc.StatusCode[code]
    assert failure.details() == "first this"


async def test_a_long_text_keeps_both_ends_and_fits_the_headers() -> None:
    async with Running() as running:
        failure = await running.failure(InvalidInput("field" * 999, f"says {'🫖' * 5000}; send less"))
    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.details().startswith("fieldfield")
    assert failure.details().endswith("; send less")
    status = rpc_status.from_call(failure)
    bad = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(bad)
    (violation,) = bad.field_violations
    assert len(violation.field) <= 200
    assert violation.description.startswith("says 🫖")


async def test_health_keeps_its_own_answers() -> None:
    async with Running() as running:
        health: Any = health_pb2_grpc.HealthStub(running.channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=5)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watch = health.Watch(health_pb2.HealthCheckRequest(service=NAME), timeout=5)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
        assert await running.counted("/grpc.health.v1.Health/Check", "NOT_FOUND") == 1
