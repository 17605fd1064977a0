"""`ProfileService` over a real server."""

import asyncio
from typing import Any

import grpc
import pytest

from tests.integration.profile.serving import (
    ACCEPTED,
    DUPLICATE,
    NOW,
    REJECTED,
    Service,
    ask,
    event,
    violation,
)
from vitrine.api.profile.v1 import profile_pb2 as pb
from vitrine.wire.profiles import profile_from_proto


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
