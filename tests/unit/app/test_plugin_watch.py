"""What health and metrics say of plugins follows them."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from vitrine.app.plugin_watch import PluginWatch
from vitrine.domain.plugins import PartStatus, Plugins, PluginState, PluginStatus
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

SERVING, NOT_SERVING, UNKNOWN = 1, 2, 3


def _plugin(
    name: str,
    state: PluginState = PluginState.ON,
    *,
    features: PluginState | None = None,
    restarts: int = 0,
    hung: int = 0,
) -> PluginStatus:
    return PluginStatus(
        name,
        f"{name} 1.0",
        "process" if restarts else "thread",
        PartStatus(state, hung=hung),
        None if features is None else PartStatus(features),
        ("home",),
        restarts,
    )


class Shown:
    """A server without services, its metrics, and the plugins that are looked at."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.server = GrpcServer({}, self.metrics)
        self.now = Plugins("", 1.0, ())
        self.watch = PluginWatch(lambda: self.now, self.server, self.metrics, seconds=0.01)
        self.address = ""

    async def look(self, *plugins: PluginStatus, since: float = 1.0) -> None:
        self.now = Plugins("", since, plugins)
        await self.watch.look()

    async def health(self, name: str = "") -> int:
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            return int((await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)).status)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"vitrine_plugin_{name}", labels)


@pytest.fixture
async def shown() -> AsyncIterator[Shown]:
    shown = Shown()
    port = await shown.server.start("127.0.0.1", 0)
    shown.address = f"127.0.0.1:{port}"
    yield shown
    await shown.watch.close()
    await shown.server.stop(0)


async def test_health_answers_for_each_part_and_the_server_serves_on(shown: Shown) -> None:
    await shown.look(_plugin("cf"), _plugin("bad", PluginState.TRIPPED, features=PluginState.ON))
    assert await shown.health("ranker:cf") == SERVING
    assert await shown.health("ranker:bad") == NOT_SERVING
    assert await shown.health("features:bad") == SERVING
    assert await shown.health() == SERVING
    with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
        await shown.health("features:cf")
    await shown.look(_plugin("cf", PluginState.HUNG, hung=2), _plugin("bad"))
    assert await shown.health("ranker:cf") == NOT_SERVING
    assert await shown.health("ranker:bad") == SERVING
    assert await shown.health("features:bad") == UNKNOWN
    assert shown.value("on", component="ranker:cf") == 0
    assert shown.value("hung_threads", component="ranker:cf") == 2
    assert shown.value("on", component="features:bad") is None


async def test_it_looks_by_itself_and_outlives_a_look_that_fails(
    shown: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    await shown.watch.start()
    shown.now = None  # type: ignore[assignment]
    await asyncio.sleep(0.05)
    assert "looking at the plugins failed" in caplog.text
    shown.now = Plugins("", 1.0, (_plugin("cf"),))
    await asyncio.sleep(0.1)
    assert await shown.health("ranker:cf") == SERVING


async def test_who_watches_health_is_told_of_changes_alone(shown: Shown) -> None:
    await shown.look(_plugin("cf"))
    async with grpc.aio.insecure_channel(shown.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        told = stub.Watch(health_pb2.HealthCheckRequest(service="ranker:cf"), timeout=10)
        assert (await told.read()).status == SERVING
        for state in (PluginState.ON, PluginState.ON, PluginState.OFF):
            await shown.look(_plugin("cf", state))
        assert (await told.read()).status == NOT_SERVING
        told.cancel()


async def test_restarts_are_counted_across_bundles(shown: Shown) -> None:
    await shown.look(_plugin("apart", restarts=2))
    await shown.look(_plugin("apart", restarts=3))
    await shown.look(_plugin("apart", restarts=3))
    assert shown.value("restarts_total", plugin="apart") == 3
    await shown.look(_plugin("apart", restarts=1), since=2.0)
    assert shown.value("restarts_total", plugin="apart") == 4


async def test_a_server_that_stops_says_so_for_its_plugins_too(shown: Shown) -> None:
    await shown.look(_plugin("cf"))
    async with grpc.aio.insecure_channel(shown.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        told = stub.Watch(health_pb2.HealthCheckRequest(service="ranker:cf"), timeout=10)
        assert (await told.read()).status == SERVING
        stopping = asyncio.create_task(shown.server.stop(2))
        assert (await told.read()).status == NOT_SERVING
        await shown.look(_plugin("cf", PluginState.OFF))
        await shown.look(_plugin("cf"))
        told.cancel()
        await stopping
