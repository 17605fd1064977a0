"""`ProfileService` over gRPC: checks and converts; everything else is in `profiles`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from typing import Any

import grpc

from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.domain.clock import Clock, system_clock
from vitrine.domain.events import Activity
from vitrine.errors import InvalidInput, NotReady, TooLarge
from vitrine.profile.commit import Recorded
from vitrine.profile.profiles import Profiles
from vitrine.profile.watch import Watchers
from vitrine.rpc.limits import MAX_ANSWER_BYTES
from vitrine.rpc.written import written
from vitrine.wire.events import events_from_proto, merge_verdicts, subject_from_proto, verdicts_to_proto
from vitrine.wire.profile_bytes import ProfileBytes
from vitrine.wire.profiles import activity_to_proto
from vitrine.wire.tokens import CURSOR, REVISION, WATERMARK, decode_token, encode_token

MAX_BATCH = 1_000
# Rows of the log in one message of a watch.
CHUNK = 1_000
# Conversions of more than so many messages leave the event loop.
INLINE = 64
POLL_SECONDS = 0.005
# Kept back of a deadline to send the refusal.
MARGIN_SECONDS = 0.02
# For a caller without a deadline.
MAX_WAIT_SECONDS = 10.0


class ProfileServicer(profile_pb2_grpc.ProfileServiceServicer):
    """The five calls. The event loop never waits for the disk."""

    def __init__(
        self,
        profiles: Profiles,
        workers: Executor,
        *,
        watching: Executor,
        clock: Clock = system_clock,
        catalog_revision: Callable[[], int] = lambda: 0,
    ) -> None:
        """Serves a store.

        Args:
            profiles: The store; its owner closes it after the server.
            workers: Threads that read it.
            watching: Threads that read it for watches, so that no answer waits for a watch that catches up.
            clock: Time of events that have none, and of segments.
            catalog_revision: Revision of the catalogue whose categories and brands count in profiles.
        """
        self._profiles = profiles
        self._workers = workers
        self._watching = watching
        self._clock = clock
        self._catalog_revision = catalog_revision
        self._watchers = Watchers(profiles)
        self._bytes = ProfileBytes()

    def stop(self) -> None:
        """Ends the watches, which would never end by themselves."""
        self._watchers.stop()

    async def RecordEvents(
        self,
        request: profile_pb2.RecordEventsRequest,
        context: "grpc.aio.ServicerContext[profile_pb2.RecordEventsRequest, profile_pb2.RecordEventsResponse]",
    ) -> profile_pb2.RecordEventsResponse:
        total = len(request.events)
        _check_size(total, "events")
        revision = decode_token(REVISION, request.min_catalog_revision, "min_catalog_revision")
        await _wait_until(
            lambda: self._catalog_revision() >= revision,
            context,
            "min_catalog_revision is ahead of the catalogue that this service has seen; try again shortly",
        )
        now = self._clock()
        if total > INLINE:
            loop = asyncio.get_running_loop()
            events, positions, rejected = await loop.run_in_executor(
                self._workers, events_from_proto, request.events, now
            )
        else:
            events, positions, rejected = events_from_proto(request.events, now)
        if events:
            recording = self._profiles.record(events, backfill=request.backfill, now=now)
            recorded = await asyncio.wrap_future(recording)
        else:
            recorded = Recorded((), self._profiles.watermark)
        verdicts = merge_verdicts(total, positions, recorded.verdicts, rejected)
        return profile_pb2.RecordEventsResponse(
            verdicts=verdicts_to_proto(verdicts), watermark=encode_token(WATERMARK, recorded.watermark)
        )

    async def GetProfile(
        self,
        request: profile_pb2.GetProfileRequest,
        context: "grpc.aio.ServicerContext[profile_pb2.GetProfileRequest, profile_pb2.GetProfileResponse]",
    ) -> profile_pb2.GetProfileResponse:
        subject = subject_from_proto(request.subject, "subject")
        watermark = decode_token(WATERMARK, request.min_watermark, "min_watermark")
        profiles = self._profiles
        await _wait_until(
            lambda: profiles.watermark >= watermark,
            context,
            "min_watermark lies ahead of this store; pass a watermark that this service gave out",
        )
        since = self._bytes.erasures
        profile = profiles.peek(subject, watermark)
        if profile is None:
            loop = asyncio.get_running_loop()
            profile = await loop.run_in_executor(self._workers, profiles.get, subject, watermark)
        answer = self._bytes.answer(subject, profile, self._clock(), since)
        return written(profile_pb2.GetProfileResponse, answer)

    async def BatchGetProfiles(
        self,
        request: profile_pb2.BatchGetProfilesRequest,
        context: "grpc.aio.ServicerContext[profile_pb2.BatchGetProfilesRequest, profile_pb2.BatchGetProfilesResponse]",
    ) -> profile_pb2.BatchGetProfilesResponse:
        _check_size(len(request.subjects), "subjects")
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._workers, self._batch_get, request)
        return written(profile_pb2.BatchGetProfilesResponse, answer)

    async def DeleteProfile(
        self,
        request: profile_pb2.DeleteProfileRequest,
        context: "grpc.aio.ServicerContext[profile_pb2.DeleteProfileRequest, profile_pb2.DeleteProfileResponse]",
    ) -> profile_pb2.DeleteProfileResponse:
        subject = subject_from_proto(request.subject, "subject")
        erasing = self._profiles.erase(subject, self._clock())
        # Also when the caller goes away, or is told that the files still hold traces.
        erasing.add_done_callback(lambda _: self._bytes.drop(subject))
        return profile_pb2.DeleteProfileResponse(events_erased=await asyncio.wrap_future(erasing))

    async def WatchActivity(
        self,
        request: profile_pb2.WatchActivityRequest,
        context: "grpc.aio.ServicerContext[profile_pb2.WatchActivityRequest, profile_pb2.WatchActivityResponse]",
    ) -> AsyncIterator[profile_pb2.WatchActivityResponse]:
        cursor = decode_token(CURSOR, request.cursor, "cursor")
        if cursor > self._profiles.watermark:
            raise NotReady("cursor lies ahead of this store; watch again without a cursor")
        loop = asyncio.get_running_loop()
        caught_up = False
        async with self._watchers.join() as watcher:
            while not self._watchers.stopped:
                watcher.clear()
                activity: Activity = await loop.run_in_executor(
                    self._watching, self._profiles.activity, cursor, CHUNK
                )
                if activity.cursor > cursor:
                    cursor = activity.cursor
                    if len(activity.item_ids):
                        yield activity_to_proto(activity)
                    continue
                if not caught_up:
                    # An empty message tells the watcher that it has seen the whole log.
                    caught_up = True
                    yield activity_to_proto(activity)
                await watcher.wait()

    def _batch_get(self, request: profile_pb2.BatchGetProfilesRequest) -> bytes:
        """The answer as bytes."""
        subjects = [
            subject_from_proto(subject, f"subjects[{position}]")
            for position, subject in enumerate(request.subjects)
        ]
        now, since = self._clock(), self._bytes.erasures
        answers: list[bytes] = []
        size = 0
        for subject, profile in zip(subjects, self._profiles.batch_get(subjects), strict=True):
            answer = self._bytes.answer(subject, profile, now, since)
            answers.append(answer)
            size += len(answer)
            if size > MAX_ANSWER_BYTES:
                raise TooLarge(
                    f"{len(answers)} of the {len(subjects)} profiles fill an answer; ask for fewer at once"
                )
        return b"".join(answers)


def _check_size(size: int, field: str) -> None:
    if size > MAX_BATCH:
        raise InvalidInput(field, f"has {size} entries; send at most {MAX_BATCH} a call")


async def _wait_until(
    reached: Callable[[], bool], context: "grpc.aio.ServicerContext[Any, Any]", otherwise: str
) -> None:
    """Waits within the deadline.

    Raises:
        NotReady: The deadline is near; ``otherwise`` says what was waited for.
    """
    if reached():
        return
    # None without a deadline, whatever the type says.
    left: float | None = context.time_remaining()
    wait = MAX_WAIT_SECONDS if left is None else min(left - MARGIN_SECONDS, MAX_WAIT_SECONDS)
    loop = asyncio.get_running_loop()
    end = loop.time() + wait
    while loop.time() < end:
        await asyncio.sleep(POLL_SECONDS)
        if reached():
            return
    raise NotReady(otherwise)
