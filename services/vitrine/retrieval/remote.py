"""Popularity fed from the profile service of another process."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import suppress

import grpc

from vitrine.api.profile.v1 import profile_pb2 as pb
from vitrine.api.profile.v1 import profile_pb2_grpc as pb_grpc
from vitrine.catalog.follower import keep_reading
from vitrine.retrieval.popularity import Popularity
from vitrine.wire.profiles import activity_from_proto
from vitrine.wire.tokens import CURSOR, encode_token

_log = logging.getLogger(__name__)


class RemoteActivity:
    """Feeds popularity from `WatchActivity`, going on from its cursor after any interruption.

    Use it in the event loop of the channel.
    """

    def __init__(self, popularity: Popularity, channel: grpc.aio.Channel, workers: Executor) -> None:
        self._popularity = popularity
        self._stub: pb_grpc.ProfileServiceAsyncStub = pb_grpc.ProfileServiceStub(channel)
        self._workers = workers
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to follow."""
        self._task = asyncio.create_task(
            keep_reading("the watch on activity", self._open, self._handle, self._ended)
        )

    async def close(self) -> None:
        """Stops following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _open(self) -> AsyncIterator[pb.WatchActivityResponse]:
        cursor = encode_token(CURSOR, self._popularity.cursor)
        return aiter(self._stub.WatchActivity(pb.WatchActivityRequest(cursor=cursor), wait_for_ready=True))

    async def _handle(self, message: pb.WatchActivityResponse) -> None:
        await asyncio.get_running_loop().run_in_executor(
            self._workers, lambda: self._popularity.feed(activity_from_proto(message))
        )

    def _ended(self, code: grpc.StatusCode | None) -> None:
        if code == grpc.StatusCode.FAILED_PRECONDITION:
            _log.warning("the log of events is shorter than what popularity had counted; counting it anew")
            self._popularity.reset()
