"""What a window costs in messages: its own alone in one process; three calls of columns where services are apart."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from tests.support.world import AS_OF, World
from vitrine.api.bundle.v1 import bundle_pb2
from vitrine.api.common.v1 import common_pb2
from vitrine.api.config.v1 import config_pb2
from vitrine.api.profile.v1 import profile_pb2
from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.app.options import Addresses, ServeOptions
from vitrine.app.parts import Process
from vitrine.app.process import free_port
from vitrine.app.services import start_services
from vitrine.config import load_config
from vitrine.domain.clock import clock_from
from vitrine.hosting.workers import Workers
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

_FILES = (bundle_pb2, common_pb2, config_pb2, profile_pb2, ranking_pb2, pb, retrieval_pb2)
_METHOD = "/vitrine.api.recommendation.v1.RecommendationService/Recommend"
_HOPS = {
    "GetProfileRequest",
    "GetProfileResponse",
    "RetrieveRequest",
    "RetrieveResponse",
    "RankRequest",
    "RankResponse",
}
_LIMIT = 20


@dataclass
class Wire:
    """What this process reads from bytes and writes as bytes, and how many channels it opens."""

    read: list[Message] = field(default_factory=list)
    written: list[Message] = field(default_factory=list)
    channels: int = 0

    def clear(self) -> None:
        self.read.clear()
        self.written.clear()

    def names(self) -> tuple[Counter[str], Counter[str]]:
        """Types of what was read and written, but for the watches, which go on by themselves."""
        read, written = (
            Counter(type(m).__name__ for m in of if "Watch" not in type(m).__name__)
            for of in (self.read, self.written)
        )
        return read, written


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Notes every message of ours, from before the servers are made, which keep parsers and serialisers."""
    found = Wire()
    for file in _FILES:
        for name in file.DESCRIPTOR.message_types_by_name:
            _note(getattr(file, name), found, monkeypatch)
    for module in (grpc, grpc.aio):
        for name in ("insecure_channel", "secure_channel"):
            _count(module, name, found, monkeypatch)
    return found


def _note(kind: Any, found: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    parse, parse_into = kind.FromString, kind.MergeFromString

    def from_string(data: bytes) -> Any:
        found.read.append(message := parse(data))
        return message

    def into(message: Any, data: bytes) -> Any:
        found.read.append(message)
        return parse_into(message, data)

    monkeypatch.setattr(kind, "FromString", staticmethod(from_string))
    for name in ("MergeFromString", "ParseFromString"):
        monkeypatch.setattr(kind, name, into)
    for name in ("SerializeToString", "SerializePartialToString"):
        serialise = getattr(kind, name)

        def to_string(message: Any, serialise: Any = serialise, **how: Any) -> Any:
            found.written.append(message)
            return serialise(message, **how)

        monkeypatch.setattr(kind, name, to_string)


def _count(module: Any, name: str, found: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    make = getattr(module, name)

    def making(*args: Any, **more: Any) -> Any:
        found.channels += 1
        return make(*args, **more)

    monkeypatch.setattr(module, name, making)


async def _serve(
    world: World, store: Path, closing: AsyncExitStack, service: str = "all", port: int = 0, **more: Any
) -> str:
    """A service in this process, as `vitrine serve` makes it; its address."""
    workers, metrics = Workers(2), Metrics()
    closing.callback(workers.shutdown)
    clock = clock_from(datetime.fromisoformat(AS_OF).timestamp(), frozen=True)
    options = ServeOptions(
        service, load_config(), bundle=world.bundle, store=store, watch_bundle=False, **more
    )
    started = await start_services(Process(options, clock, workers, metrics, closing))
    server = GrpcServer(started.services, metrics)
    bound = await server.start("127.0.0.1", port)

    async def stop() -> None:
        for end in started.before_stop:
            end()
        await server.stop(1)

    closing.push_async_callback(stop)
    return f"127.0.0.1:{bound}"


async def _caller(address: str, closing: AsyncExitStack) -> Callable[[bytes], Awaitable[bytes]]:
    """Calls Recommend with bytes as they are, so that only the server reads and writes messages."""
    channel = await closing.enter_async_context(grpc.aio.insecure_channel(address))
    call: Any = channel.unary_unary(_METHOD)
    return lambda request: call(request, timeout=10)


def _requests(world: World, count: int) -> list[bytes]:
    return [
        pb.RecommendRequest(
            subject=common_pb2.Subject(user_id=who), scene="home", limit=_LIMIT, request_id=f"r{number}"
        ).SerializeToString()
        for number, who in enumerate(world.shoppers(count))
    ]


async def test_in_one_process_a_window_is_its_request_and_its_answer(
    world: World, wire: Wire, tmp_path: Path
) -> None:
    requests = _requests(world, 5)
    async with AsyncExitStack() as closing:
        address = await _serve(world, world.fresh_store(tmp_path / "store"), closing)
        assert wire.channels == 0
        recommend = await _caller(address, closing)
        await recommend(requests[0])
        wire.clear()
        answers = [await recommend(request) for request in requests]
        assert wire.channels == 1  # the caller's own
        read, written = wire.names()
    assert read == {"RecommendRequest": len(requests)}
    assert written == {"RecommendResponse": len(requests)}
    for answer in answers:
        assert len(pb.RecommendResponse.FromString(answer).items) == _LIMIT


async def test_apart_a_window_is_three_calls_of_columns_on_channels_that_stay(
    world: World, wire: Wire, tmp_path: Path
) -> None:
    requests = _requests(world, 5)
    store = world.fresh_store(tmp_path / "store")
    addresses = Addresses(*(f"127.0.0.1:{free_port()}" for _ in range(3)))
    async with AsyncExitStack() as closing:
        for name in ("retrieval", "profile", "ranking"):
            port = int(getattr(addresses, name).rpartition(":")[2])
            await _serve(world, store, closing, name, port, addresses=addresses)
        before = wire.channels
        address = await _serve(world, store, closing, "recommendation", addresses=addresses)
        assert wire.channels - before == 3  # one for each of the others
        recommend = await _caller(address, closing)
        opened = wire.channels
        # Channels connect, and popularity is read from the other's log.
        deadline = time.monotonic() + 20
        while pb.RecommendResponse.FromString(await recommend(requests[0])).degraded:
            assert time.monotonic() < deadline
        wire.clear()
        answers = [await recommend(request) for request in requests]
        assert wire.channels == opened
        read, written = wire.names()
        hops = [message for message in wire.read if type(message).__name__ in _HOPS]
    # The profile service keeps its answers as bytes, and does not write again what it has.
    assert written.pop("GetProfileResponse", 0) < len(requests)
    written["GetProfileResponse"] = len(requests)
    hops_of_each = dict.fromkeys(_HOPS, len(requests))
    assert read == {"RecommendRequest": len(requests), **hops_of_each}
    assert written == {"RecommendResponse": len(requests), **hops_of_each}
    for message in hops:
        assert _most_messages(message) <= _LIMIT, type(message).__name__
    candidates = [len(m.candidates.item_ids) for m in hops if isinstance(m, retrieval_pb2.RetrieveResponse)]
    assert min(candidates) > 5 * _LIMIT
    for answer in answers:
        assert len(pb.RecommendResponse.FromString(answer).items) == _LIMIT


def _most_messages(message: Message) -> int:
    """The most messages in one repeated field, anywhere in it: what is sent item by item has as many as items."""
    most = 0
    for column, value in message.ListFields():
        if column.message_type is None or column.message_type.GetOptions().map_entry:
            continue
        parts = value if column.is_repeated else [value]
        most = max([most, len(parts), *map(_most_messages, parts)])
    return most
