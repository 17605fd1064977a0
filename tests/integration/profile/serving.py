"""`ProfileService` over a real server, and what to ask it."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from vitrine.api.profile.v1 import profile_pb2 as pb
from vitrine.api.profile.v1 import profile_pb2_grpc
from vitrine.config import load_config
from vitrine.domain.items import ItemKeys
from vitrine.profile import Profiles
from vitrine.profile.service import ProfileServicer
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

NOW = 1_700_000_000.0
ACCEPTED, DUPLICATE, REJECTED = pb.EVENT_STATUS_ACCEPTED, pb.EVENT_STATUS_DUPLICATE, pb.EVENT_STATUS_REJECTED


@dataclass
class Service:
    stub: "profile_pb2_grpc.ProfileServiceAsyncStub"
    store: Profiles
    servicer: ProfileServicer
    revision: list[int] = field(default_factory=lambda: [0])


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Service]:
    store = Profiles.open(folder, load_config(), lambda i: ItemKeys((f"c{i}",), "", ""), lambda: NOW)
    revision = [0]
    with ThreadPoolExecutor(4) as workers:
        servicer = ProfileServicer(
            store, workers, watching=workers, clock=lambda: NOW, catalog_revision=lambda: revision[0]
        )
        server = GrpcServer(
            {
                "vitrine.api.profile.v1.ProfileService": lambda s: (
                    profile_pb2_grpc.add_ProfileServiceServicer_to_server(servicer, s)
                )
            },
            Metrics(),
        )
        port = await server.start("127.0.0.1", 0)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Service(profile_pb2_grpc.ProfileServiceStub(channel), store, servicer, revision)
        servicer.stop()
        await server.stop(0.5)
    store.close()


def event(name: str, user: str = "ann", item: str = "lamp") -> pb.Event:
    message = pb.Event(event_id=name, item_id=item, type=pb.EVENT_TYPE_VIEW)
    message.subject.user_id = user
    return message


def ask(user: str, min_watermark: str = "") -> pb.GetProfileRequest:
    request = pb.GetProfileRequest(min_watermark=min_watermark)
    request.subject.user_id = user
    return request


def violation(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    detail = error_details_pb2.BadRequest()
    status.details[0].Unpack(detail)
    return str(detail.field_violations[0].field)
