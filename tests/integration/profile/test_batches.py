"""Many events and many profiles in a call."""

import grpc
import pytest

from tests.integration.profile.serving import ACCEPTED, Service, ask, event, violation
from vitrine.api.profile.v1 import profile_pb2 as pb


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


async def test_a_profile_is_the_same_alone_and_among_others(service: Service) -> None:
    await service.stub.RecordEvents(pb.RecordEventsRequest(events=[event("1"), event("2", user="bob")]))
    people = ["bob", "nobody", "ann", "bob"]
    alone = [(await service.stub.GetProfile(ask(user))).profile for user in people]
    request = pb.BatchGetProfilesRequest(subjects=[ask(user).subject for user in people])
    assert list((await service.stub.BatchGetProfiles(request)).profiles) == alone
    assert [one.subject.user_id for one in alone] == people
    request.subjects.add()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.stub.BatchGetProfiles(request)
    assert violation(caught.value) == "subjects[4]"


async def test_more_profiles_than_fit_into_an_answer_are_refused_with_a_number(service: Service) -> None:
    events = [event(f"{n}", item=f"{n} " + "x" * 120) for n in range(1_000)]
    await service.stub.RecordEvents(pb.RecordEventsRequest(events=events))
    request = pb.BatchGetProfilesRequest(subjects=[ask("ann").subject] * 16)
    assert len((await service.stub.BatchGetProfiles(request)).profiles) == 16
    request = pb.BatchGetProfilesRequest(subjects=[ask("ann").subject] * 40)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.stub.BatchGetProfiles(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.details() == "17 of the 40 profiles fill an answer; ask for fewer at once"
