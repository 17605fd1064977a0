"""`ProfileService` over a real server."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
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
from vitrine.wire.profiles import profile_from_proto

NOW = 1_700_000_000.0
ACCEPTED, DUPLICATE, REJECTED = pb.EVENT_STATUS_ACCEPTED, pb.EVENT_STATUS_DUPLICATE, pb.EVENT_STATUS_REJECTED


@dataclass
class Service:
    stub: "profile_pb2_grpc.ProfileServiceAsyncStub"
    store: Profiles
    servicer: ProfileServicer
    revision: list[int] = field(default_factory=lambda: [0])


@pytest.fixture(name="service")
async def service_fixture(tmp_path: Path) -> AsyncIterator[Service]:
    store = Profiles.open(tmp_path, load_config(), lambda i: ItemKeys((f"c{i}",), "", ""), lambda: NOW)
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


async def read(watch: Any) -> pb.WatchActivityResponse | None:
    """The next message, or nothing at the end of the stream."""
    message = await watch.read()
    return None if message is grpc.aio.EOF else message


async def test_events_become_a_profile(service: Service) -> None:
    bad = event("3")
    bad.quantity = float("nan")
    old = event("4")
    old.time.seconds = int(NOW - 8 * 86_400)
    recorded = await service.stub.RecordEvents(
        pb.RecordEventsRequest(events=[event("1"), bad, event("2"), event("1"), old])
    )
    statuses = [verdict.status for verdict in recorded.verdicts]
    assert statuses == [ACCEPTED, REJECTED, ACCEPTED, DUPLICATE, REJECTED]
    assert [v.field for v in recorded.verdicts if v.field] == ["events[1].quantity", "events[4].time"]
    answer = await service.stub.GetProfile(ask("ann", min_watermark=recorded.watermark))
    assert answer.profile.event_count == 2
    assert answer.profile.segment == pb.SEGMENT_BROWSER
    assert list(answer.profile.categories.keys) == ["clamp"]
    assert profile_from_proto(answer.profile).last_time == NOW


async def test_a_thousand_events_and_profiles_fit_into_a_call_and_no_more(service: Service) -> None:
    events = [event(f"{n}", user=f"{n % 500}") for n in range(1000)]
    recorded = await service.stub.RecordEvents(pb.RecordEventsRequest(events=events))
    assert {verdict.status for verdict in recorded.verdicts} == {ACCEPTED}
    request = pb.BatchGetProfilesRequest(subjects=[ask(f"{n}").subject for n in range(1000)])
    profiles = (await service.stub.BatchGetProfiles(request)).profiles
    assert [profile.event_count for profile in profiles] == [2] * 500 + [0] * 500
    assert profiles[3].subject.user_id == "3"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.stub.RecordEvents(pb.RecordEventsRequest(events=[*events, event("x")]))
    assert violation(caught.value) == "events"
    request.subjects.append(ask("x").subject)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.stub.BatchGetProfiles(request)
    assert violation(caught.value) == "subjects"


@pytest.mark.parametrize(
    ("request_", "field_"),
    [
        (pb.GetProfileRequest(), "subject"),
        (ask("x" * 129), "subject.user_id"),
        (ask("x", min_watermark="c-1"), "min_watermark"),
    ],
)
async def test_a_bad_request_names_its_field(
    service: Service, request_: pb.GetProfileRequest, field_: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.stub.GetProfile(request_)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert violation(caught.value) == field_


async def test_what_lies_ahead_is_waited_for_within_the_deadline(service: Service) -> None:
    for call in (
        service.stub.GetProfile(ask("x", min_watermark="w-5"), timeout=0.2),
        service.stub.RecordEvents(pb.RecordEventsRequest(min_catalog_revision="r-1"), timeout=0.2),
        service.stub.WatchActivity(pb.WatchActivityRequest(cursor="c-5"), timeout=5).read(),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    waiting = service.stub.RecordEvents(
        pb.RecordEventsRequest(events=[event("1")], min_catalog_revision="r-1"), timeout=5
    )
    await asyncio.sleep(0.05)
    assert service.store.watermark == 0
    service.revision[0] = 1
    assert (await waiting).verdicts[0].status == ACCEPTED


async def test_an_erased_shopper_is_gone(service: Service) -> None:
    await service.stub.RecordEvents(pb.RecordEventsRequest(events=[event("1"), event("2")]))
    request = pb.DeleteProfileRequest()
    request.subject.user_id = "ann"
    assert (await service.stub.DeleteProfile(request)).events_erased == 2
    assert (await service.stub.GetProfile(ask("ann"))).profile.event_count == 0
    again = await service.stub.RecordEvents(pb.RecordEventsRequest(events=[event("1")]))
    assert (again.verdicts[0].status, again.verdicts[0].field) == (REJECTED, "events[0].time")


async def test_activity_is_watched_from_the_log_on_and_resumes(service: Service) -> None:
    events = [event(f"{n}", item=f"i{n}") for n in range(700)]
    await service.stub.RecordEvents(pb.RecordEventsRequest(events=events))
    await service.stub.RecordEvents(pb.RecordEventsRequest(events=[event(f"+{n}") for n in range(700)]))
    watch = service.stub.WatchActivity(pb.WatchActivityRequest())
    sizes, cursor = [], ""
    while (message := await read(watch)) and message.item_ids:
        sizes.append(len(message.item_ids))
        cursor = message.cursor
    assert sizes == [1000, 400]
    await service.stub.RecordEvents(pb.RecordEventsRequest(events=[event("live", item="new")]))
    live = await read(watch)
    assert live
    assert (list(live.item_ids), list(live.types), list(live.time_micros)) == (["new"], [2], [int(NOW * 1e6)])
    watch.cancel()
    resumed = service.stub.WatchActivity(pb.WatchActivityRequest(cursor=cursor))
    again = await read(resumed)
    assert again
    assert list(again.item_ids) == ["new"]
    service.servicer.stop()
    while ended := await read(resumed):
        assert not ended.item_ids


async def test_the_event_loop_never_waits_for_the_disk(service: Service) -> None:
    connection = service.store._store.connection
    blocker = type(connection)(connection.filename)
    blocker.execute("BEGIN IMMEDIATE")
    recording = service.stub.RecordEvents(pb.RecordEventsRequest(events=[event("1")]))
    for _ in range(20):
        assert (await service.stub.GetProfile(ask("bob"), timeout=1)).profile.event_count == 0
    assert not recording.done()
    blocker.execute("ROLLBACK")
    blocker.close()
    assert (await recording).verdicts[0].status == ACCEPTED
