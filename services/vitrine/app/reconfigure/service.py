"""ConfigService over gRPC."""

import asyncio
from concurrent.futures import Executor
from typing import Any

import grpc

from vitrine.api.config.v1 import config_pb2 as pb
from vitrine.api.config.v1 import config_pb2_grpc as pb_grpc
from vitrine.app.reconfigure.reloader import ConfigReloader
from vitrine.config import SceneConfig
from vitrine.wire.times import duration_to_proto, timestamp_to_proto


class ConfigServicer(pb_grpc.ConfigServiceServicer):
    """Tells what a process works with, and has it read its file again.

    Args:
        reloader: Does both.
        thread: One thread, where reloads take turns; neither the event loop nor a worker waits for them.
    """

    def __init__(self, reloader: ConfigReloader, thread: Executor) -> None:
        self._reloader = reloader
        self._thread = thread

    async def GetConfig(
        self, request: pb.GetConfigRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetConfigResponse:
        """What the process works with."""
        config = self._reloader.config
        return pb.GetConfigResponse(
            fingerprint=config.fingerprint,
            served_since=timestamp_to_proto(self._reloader.since),
            description=self._reloader.description,
            scenes=[_scene(name, scene) for name, scene in config.scenes.items()],
        )

    async def ReloadConfig(
        self, request: pb.ReloadConfigRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ReloadConfigResponse:
        """Switches to what the file says."""
        done = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._reloader.reload, request.expected_fingerprint
        )
        return pb.ReloadConfigResponse(
            fingerprint=done.fingerprint,
            previous_fingerprint=done.previous_fingerprint,
            switched=done.switched,
            duration=duration_to_proto(done.seconds),
        )


def _scene(name: str, scene: SceneConfig) -> pb.Scene:
    return pb.Scene(
        name=name,
        description=scene.description,
        sources=[pb.Source(name=source, limit=n) for source, n in scene.active_sources.items()],
        candidates=scene.candidates,
        weights=[pb.Weight(name=part, weight=w) for part, w in scene.weights.items() if w != 0],
        reranker=scene.reranker,
        diversity=scene.diversity,
    )
