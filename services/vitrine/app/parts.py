"""What the servicers of a process are made with, and the pieces that both ways of making them share."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import grpc

from vitrine.api.ranking.v1 import ranking_pb2_grpc
from vitrine.app.options import ServeOptions
from vitrine.catalog import Catalog
from vitrine.domain.clock import Clock
from vitrine.ranking import RankingEngine
from vitrine.ranking.service import RankingServicer
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import Services

log = logging.getLogger(__name__)

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
RECOMMENDATION = f"{_PREFIX}.recommendation.v1.RecommendationService"


@dataclass(frozen=True, slots=True)
class Started:
    """What a process serves.

    Attributes:
        services: For the gRPC server.
        summary: For the log.
        before_stop: To be called before the server stops: ends streams that would never end.
    """

    services: Services
    summary: str
    before_stop: list[Callable[[], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Process:
    """What the servicers of a process are made with."""

    options: ServeOptions
    clock: Clock
    workers: Executor
    metrics: Metrics
    closing: AsyncExitStack


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
    engine: Callable[[], RankingEngine], catalog: Catalog, process: Process
) -> Callable[[grpc.aio.Server], None]:
    """What adds RankingService to a server; ``engine`` answers the engine to use now."""
    servicer = RankingServicer(engine, catalog, process.clock, process.workers)
    return adding(ranking_pb2_grpc.add_RankingServiceServicer_to_server, servicer)


def named(engine: RankingEngine) -> str:
    """What an engine ranks with, for the log; what is off is said."""
    for name, why in engine.rankers.off.items():
        log.warning("ranker '%s' is off: %s", name, why)
    versions = engine.versions
    plugins = ", ".join(f"{name} {version}" for name, version in versions.plugins)
    return f"bundle {versions.bundle or 'none'}, rankers {plugins or 'none'}"
