"""The Python client against a server that fails on purpose: errors, retries, deadlines; sync and aio alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

import grpc
import pytest

from vitrine.api.profile.v1 import profile_pb2
from vitrine.client import (
    Anonymous,
    AsyncVitrine,
    FieldViolation,
    InvalidInput,
    NotReady,
    Timeout,
    TooLarge,
    Unavailable,
    Vitrine,
    VitrineError,
    event,
    item,
)
from vitrine.rpc.status import internal, status_of


class Flaky:
    """Answers the first ``failures`` calls with ``status``, sleeps ``seconds`` in each, and keeps the requests."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.failures, self.seconds = 0, 0.0
        self.status: Any = None
        self.requests: list[Any] = []

    def get(self, request: Any, context: grpc.ServicerContext) -> profile_pb2.GetProfileResponse:
        self._fail(request, context)
        return profile_pb2.GetProfileResponse(profile=profile_pb2.Profile(event_count=7))

    def record(self, request: Any, context: grpc.ServicerContext) -> profile_pb2.RecordEventsResponse:
        self._fail(request, context)
        return profile_pb2.RecordEventsResponse(watermark="w-1")

    def _fail(self, request: Any, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        time.sleep(self.seconds)
        if len(self.requests) <= self.failures:
            context.abort_with_status(self.status)


def _serialise(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


@pytest.fixture
def flaky() -> Iterator[Flaky]:
    servicer = Flaky()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "GetProfile": grpc.unary_unary_rpc_method_handler(
            servicer.get, profile_pb2.GetProfileRequest.FromString, _serialise
        ),
        "RecordEvents": grpc.unary_unary_rpc_method_handler(
            servicer.record, profile_pb2.RecordEventsRequest.FromString, _serialise
        ),
    }
    with ThreadPoolExecutor(4) as workers:
        server = grpc.server(workers, options=[("grpc.so_reuseport", 0)])
        name = "vitrine.api.profile.v1.ProfileService"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield servicer
        server.stop(0).wait()


Call = Callable[[Flaky, Callable[[Any], Any]], Awaitable[Any]]


async def _sync(flaky: Flaky, call: Callable[[Any], Any]) -> Any:
    def run() -> Any:
        with Vitrine(flaky.address) as client:
            return call(client)

    return await asyncio.to_thread(run)


async def _aio(flaky: Flaky, call: Callable[[Any], Any]) -> Any:
    async with AsyncVitrine(flaky.address) as client:
        return await call(client)


@pytest.fixture(params=[_sync, _aio], ids=["sync", "aio"])
def call(request: pytest.FixtureRequest) -> Call:
    """Makes a call with one of the two clients."""
    chosen: Call = request.param
    return chosen


class Status(NamedTuple):
    """A plain one, such as gRPC itself sends."""

    code: grpc.StatusCode
    details: str = ""
    trailing_metadata: Any = None


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
async def test_two_refusals_are_retried(flaky: Flaky, call: Call, code: grpc.StatusCode) -> None:
    flaky.failures, flaky.status = 2, Status(code)
    assert (await call(flaky, lambda c: c.get_profile("ann", timeout=5))).event_count == 7
    assert len(flaky.requests) == 3


async def test_a_retry_sends_the_same_event_ids(flaky: Flaky, call: Call) -> None:
    flaky.failures, flaky.status = 2, status_of(Unavailable("starting"))
    answer = await call(flaky, lambda c: c.record_events([event("view", "ann", "mug")], timeout=5))
    assert answer.watermark == "w-1"
    ids = {tuple(e.event_id for e in r.events) for r in flaky.requests}
    assert len(flaky.requests) == 3
    assert len(ids) == 1
    assert all(ids)


async def test_four_attempts_are_enough(flaky: Flaky, call: Call) -> None:
    flaky.failures, flaky.status = 99, status_of(Unavailable("the disk is full"))
    with pytest.raises(Unavailable, match="the disk is full"):
        await call(flaky, lambda c: c.get_profile("ann", timeout=5))
    assert len(flaky.requests) == 4


async def test_a_server_that_stops_is_unavailable(flaky: Flaky, call: Call) -> None:
    flaky.failures, flaky.status = 99, Status(grpc.StatusCode.CANCELLED, "")
    with pytest.raises(Unavailable):
        await call(flaky, lambda c: c.get_profile("ann", timeout=5))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotReady("load items first"), NotReady),
        (TooLarge("send less"), TooLarge),
        (InvalidInput("limit", "is -1"), InvalidInput),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
async def test_other_errors_are_told_at_once(
    flaky: Flaky, call: Call, error: VitrineError, expected: type[VitrineError]
) -> None:
    flaky.failures, flaky.status = 99, status_of(error)
    with pytest.raises(expected) as caught:
        await call(flaky, lambda c: c.get_profile("ann", timeout=5))
    assert str(error) in str(caught.value)
    assert len(flaky.requests) == 1


async def test_an_invalid_request_names_its_fields(flaky: Flaky, call: Call) -> None:
    error = InvalidInput(
        "events[3].item_id", "is empty", FieldViolation("events[4].time", "is in the future")
    )
    flaky.failures, flaky.status = 99, status_of(error)
    with pytest.raises(InvalidInput) as caught:
        await call(flaky, lambda c: c.record_events([], timeout=5))
    assert list(caught.value.violations) == list(error.violations)


async def test_an_incident_keeps_its_number(flaky: Flaky, call: Call) -> None:
    flaky.failures, flaky.status = 99, internal("0badcafe")
    with pytest.raises(VitrineError, match=r"INTERNAL: .*0badcafe") as caught:
        await call(flaky, lambda c: c.get_profile("ann", timeout=5))
    assert type(caught.value) is VitrineError
    assert len(flaky.requests) == 1


async def test_the_deadline_is_a_timeout(flaky: Flaky, call: Call) -> None:
    flaky.seconds = 0.5
    started = time.monotonic()
    with pytest.raises(Timeout):
        await call(flaky, lambda c: c.get_profile("ann", timeout=0.1))
    assert time.monotonic() - started < 0.45
    assert len(flaky.requests) == 1


async def test_retries_end_with_the_deadline(flaky: Flaky, call: Call) -> None:
    flaky.seconds, flaky.failures, flaky.status = 0.1, 99, status_of(Unavailable("starting"))
    started = time.monotonic()
    with pytest.raises((Timeout, Unavailable)):
        await call(flaky, lambda c: c.get_profile("ann", timeout=0.15))
    assert time.monotonic() - started < 0.4
    assert len(flaky.requests) <= 3


async def test_nobody_there_is_unavailable(call: Call) -> None:
    nobody = Flaky("127.0.0.1:1")
    with pytest.raises(Unavailable):
        await call(nobody, lambda c: c.get_profile("ann", timeout=5))


async def test_requests_say_what_was_meant(flaky: Flaky, call: Call) -> None:
    made = event(
        "rating",
        Anonymous("c1"),
        "mug",
        price=4.95,
        currency="EUR",
        rating=4,
        time=datetime(2026, 1, 2, tzinfo=UTC),
    )
    await call(flaky, lambda c: c.record_events([made], backfill=True, min_catalog_revision="r-5"))
    (request,) = flaky.requests
    (sent,) = request.events
    assert (request.backfill, request.min_catalog_revision) == (True, "r-5")
    assert (sent.subject.anonymous_id, sent.value.micros, sent.time.seconds) == (
        "c1",
        4_950_000,
        1_767_312_000,
    )
    assert not sent.HasField("quantity")


def test_an_unknown_kind_of_event_is_refused_here() -> None:
    with pytest.raises(InvalidInput, match=r"unknown kind of event 'buy'; known: .*purchase"):
        event("buy", "ann", "mug")


def test_items_say_what_was_meant() -> None:
    made = item("mug", "Mug", price=4.95, currency="EUR", in_stock=False)
    assert (made.price.micros, made.availability) == (4_950_000, 2)
    assert not item("mug").HasField("price")
