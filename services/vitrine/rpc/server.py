"""One gRPC server with health, reflection and a graceful stop."""

import logging
from collections.abc import Callable, Mapping

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from vitrine.errors import ConfigError
from vitrine.rpc.guard import Guard
from vitrine.rpc.listening import authority, probe, why_not
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)

# Full name of a service, and what adds its servicer to a server.
Services = Mapping[str, Callable[[grpc.aio.Server], None]]

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

_OPTIONS = [
    # A second server on the same port is a mistake, not a load balancer.
    ("grpc.so_reuseport", 0),
    # Larger messages reach the guard, which explains the limit; beyond this the transport refuses them itself.
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]


class GrpcServer:
    """A server for some services.

    Args:
        services: What to serve.
        metrics: Where calls are counted.
    """

    def __init__(self, services: Services, metrics: Metrics) -> None:
        self._server = grpc.aio.server(interceptors=[Guard(metrics)], options=_OPTIONS)
        self._health = HealthServicer()
        self._names = (*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        # What is told beside the services, by name.
        self._parts: dict[str, int] = {}
        self._stopping = False
        for add in services.values():
            add(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*self._names, reflection.SERVICE_NAME), self._server)

    async def start(self, host: str, port: int) -> int:
        """Listens, and answers the port (another than asked for only when that was 0).

        Raises:
            ConfigError: The port is taken, or the interface is not one of this machine.
        """
        try:
            bound = self._server.add_insecure_port(authority(host, port))
        except RuntimeError:
            # gRPC does not say why; the system does.
            taken = f"port {port} on {host} is taken; stop the other server or choose another with --port"
            raise ConfigError(why_not(probe(host, port), host, port, option="--port", taken=taken)) from None
        await self._server.start()
        # Whoever told of a service before knows better.
        await self._report(_SERVING, *(name for name in self._names if name not in self._parts))
        return bound

    async def stop(self, grace: float) -> None:
        """Says "not serving", lets calls in flight finish for up to ``grace`` seconds, and stops."""
        self._stopping = True
        await self._report(_NOT_SERVING, *self._names, *self._parts)
        await self._server.stop(grace)

    async def tell(self, name: str, *, serving: bool | None) -> None:
        """Has health answer for a part, such as "ranker:cf"; the server as a whole serves whether or not a part does.

        Args:
            name: The part.
            serving: Whether it serves; ``None`` when there is no such part any more.
        """
        status: int = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        if serving is not None:
            status = _SERVING if serving else _NOT_SERVING
        # Who watches is told of changes alone; a server that stops has said its last word.
        if not self._stopping and self._parts.get(name) != status:
            self._parts[name] = status
            await self._health.set(name, status)

    async def _report(self, status: int, *names: str) -> None:
        for name in ("", *names):
            await self._health.set(name, status)
