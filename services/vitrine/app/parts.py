"""What the servicers of a process are made with, and the pieces that both ways of making them share."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import grpc

from vitrine.api.bundle.v1 import bundle_pb2_grpc
from vitrine.api.config.v1 import config_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2_grpc
from vitrine.app.generations import Generation
from vitrine.app.options import ServeOptions
from vitrine.app.plugin_watch import Telling
from vitrine.app.reconfigure import ConfigReloader, Standing, Using
from vitrine.app.reconfigure.service import ConfigServicer
from vitrine.app.reload import Reloader
from vitrine.app.watch import Watch, Watched
from vitrine.bundle.service import BundleServicer
from vitrine.bundle.swapping import Reloaded, Swapping
from vitrine.catalog import Catalog
from vitrine.config import Config
from vitrine.domain.clock import Clock
from vitrine.domain.plugins import Plugins
from vitrine.hosting import Waiter
from vitrine.hosting.workers import Workers
from vitrine.ranking import RankingEngine
from vitrine.ranking.service import RankingServicer
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import Services

T = TypeVar("T")
S = TypeVar("S")

# Upserts that are worked on at once: one commits while the others wait for it, to share the next commit. They wait
# for the disk more than they compute, but what they compute, requests wait for.
WRITERS = 4
# Watches take turns, a chunk each: what is far behind shall not compute beside requests on every core.
WATCHING = 1

_PREFIX = "vitrine.api"
PROFILE = f"{_PREFIX}.profile.v1.ProfileService"
RETRIEVAL = f"{_PREFIX}.retrieval.v1.RetrievalService"
RANKING = f"{_PREFIX}.ranking.v1.RankingService"
CONFIG = f"{_PREFIX}.config.v1.ConfigService"
BUNDLE = f"{_PREFIX}.bundle.v1.BundleService"
RECOMMENDATION = f"{_PREFIX}.recommendation.v1.RecommendationService"


class Switching(Swapping, Watched, Protocol):
    """Serves a bundle and looks after its folder: a `Reloader`, or that of several workers."""

    # Both call it without arguments, one of them with the version that is expected, too.
    def reload(self, expected_version: str = "") -> Reloaded:
        """As `Swapping.reload`."""
        ...


@dataclass(frozen=True, slots=True)
class Started:
    """What a process serves.

    Attributes:
        services: For the gRPC server.
        summary: For the log.
        before_stop: To be called before the server stops: ends streams that would never end.
        plugins: Answers how the plugins fare; ``None`` in a process that has none.
        health: Given the server, begins to have it say how parts of this one fare; ``None`` where `plugins` says all.
    """

    services: Services
    summary: str
    before_stop: list[Callable[[], None]] = field(default_factory=list)
    plugins: Callable[[], Plugins] | None = None
    health: Callable[[Telling], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """What the servicers of a process are made with."""

    options: ServeOptions
    clock: Clock
    workers: Workers
    metrics: Metrics
    closing: AsyncExitStack

    @property
    def waiter(self) -> Waiter:
        """Waits for what calls plugins."""
        return Waiter(self.workers)


async def in_thread(work: Callable[[], T]) -> T:
    """Start-up work off the event loop, on which watches are read meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(None, work)


def threads(process: Process, name: str, count: int) -> Executor:
    """Threads beside the workers. They end after the server and, made after the stores are opened, before these."""
    threads = ThreadPoolExecutor(count, thread_name_prefix=f"vitrine-{name}")
    process.closing.callback(threads.shutdown, cancel_futures=True)
    return threads


def adding(add: Callable[[S, grpc.aio.Server], None], servicer: S) -> Callable[[grpc.aio.Server], None]:
    """What adds a servicer to a server."""
    return lambda server: add(servicer, server)


def ranking(
    engine: Callable[[str], RankingEngine], catalog: Catalog, process: Process
) -> Callable[[grpc.aio.Server], None]:
    """What adds RankingService to a server; ``engine`` answers the engine for a wanted version of the bundle."""
    servicer = RankingServicer(engine, catalog, process.clock, process.waiter)
    return adding(ranking_pb2_grpc.add_RankingServiceServicer_to_server, servicer)


def reloading(process: Process, reloader: Reloader | None = None) -> tuple[Services, Callable[[], Config]]:
    """Watches the configuration and the bundle, in the running event loop.

    Args:
        process: What to work with.
        reloader: Of a process that makes something of both.

    Returns:
        BundleService, where there is a reloader, and ConfigService, and what answers the configuration of now.
    """
    using = Standing(process.options.config) if reloader is None else reloader
    services = reloading_all(process, using, reloader, tidy=None if reloader is None else reloader.expire)
    return services, lambda: using.config


def reloading_all(
    process: Process, using: Using, bundle: Switching | None, tidy: Callable[[], None] | None = None
) -> Services:
    """As `reloading`, of what works by a configuration, and of what serves a bundle.

    Args:
        process: What to work with.
        using: Is told of another configuration.
        bundle: Is told of another bundle; ``None`` in a process without one.
        tidy: Done at each look.
    """
    options = process.options
    # One thread: reloads take turns, and what they allocate comes from one place and goes back there. A plugin may hang
    # while it is made, and must not keep the server from ending.
    thread = Workers(1)
    process.closing.callback(thread.shutdown, cancel_futures=True)
    config = ConfigReloader(options.config_file, options.service, using, process.metrics)
    services = {
        CONFIG: adding(config_pb2_grpc.add_ConfigServiceServicer_to_server, ConfigServicer(config, thread))
    }
    watched: list[Watched] = [config] if options.watch_config else []
    if bundle is not None:
        servicer = BundleServicer(bundle, thread)
        services[BUNDLE] = adding(bundle_pb2_grpc.add_BundleServiceServicer_to_server, servicer)
        watched += [bundle] if options.watch_bundle else []
    watch = Watch(watched, thread, tidy=tidy)
    watch.start()
    process.closing.push_async_callback(watch.close)
    return services


def named(generation: Generation) -> str:
    """What a generation works with, for the log."""
    rankers = ""
    if generation.engine is not None:
        plugins = ", ".join(f"{name} {version}" for name, version in generation.engine.versions.plugins)
        rankers = f", rankers {plugins or 'none'}"
    return f"bundle {generation.version or 'none'}{rankers}"
