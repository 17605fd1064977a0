"""BundleService over gRPC."""

import asyncio
from concurrent.futures import Executor
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from vitrine.api.bundle.v1 import bundle_pb2 as pb
from vitrine.api.bundle.v1 import bundle_pb2_grpc as pb_grpc
from vitrine.bundle.swapping import Swapping
from vitrine.wire.times import timestamp_to_proto


class BundleServicer(pb_grpc.BundleServiceServicer):
    """Tells what is served and reloads it.

    Args:
        swapping: Does both.
        thread: One thread, where reloads take turns; neither the event loop nor a worker waits for them.
    """

    def __init__(self, swapping: Swapping, thread: Executor) -> None:
        self._swapping = swapping
        self._thread = thread

    async def GetBundle(
        self, request: pb.GetBundleRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetBundleResponse:
        """What is served."""
        served = self._swapping.served()
        return pb.GetBundleResponse(
            version=served.version,
            served_since=timestamp_to_proto(served.since),
            previous_version=served.previous_version,
            models=[pb.Model(name=m.name, kind=m.kind, provider=m.provider) for m in served.models],
        )

    async def ReloadBundle(
        self, request: pb.ReloadBundleRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ReloadBundleResponse:
        """Switches to what lies in the folder."""
        done = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._swapping.reload, request.expected_version
        )
        duration = Duration()
        duration.FromMicroseconds(round(done.seconds * 1e6))
        return pb.ReloadBundleResponse(
            version=done.version,
            previous_version=done.previous_version,
            switched=done.switched,
            duration=duration,
        )
