"""Makes the servicers of one process: all four around one shop, or one that finds the others by address."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import grpc

from vitrine.api.profile.v1 import profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc
from vitrine.app.options import ServeOptions
from vitrine.app.shop import Shop, attach, make_popularity
from vitrine.catalog import Catalog
from vitrine.catalog.follower import CatalogFollower
from vitrine.catalog.store import CatalogStore
from vitrine.client.channel import CHANNEL_OPTIONS
from vitrine.domain.clock import Clock
from vitrine.profile import Profiles
from vitrine.profile.service import ProfileServicer
from vitrine.ranking import RankingEngine
from vitrine.ranking.plugins import discover
from vitrine.ranking.service import RankingServicer
from vitrine.recommendation.local import LocalServices
from vitrine.recommendation.ports import Ports
from vitrine.recommendation.recommender import Recommender
from vitrine.recommendation.remote import RemoteProfile, RemoteRanking, RemoteRetrieval
from vitrine.recommendation.service import RecommendationServicer
from vitrine.retrieval import Retriever
from vitrine.retrieval.activity import PopularityKeeper
from vitrine.retrieval.remote import RemoteActivity
from vitrine.retrieval.service import RetrievalServicer
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import Services

log = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S")

# How long a part waits at its start for the catalogue that another owns, before it serves without.
CATALOG_SECONDS = 20.0
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


async def start_services(process: Process) -> Started:
    """Opens what the wanted service needs, and makes it.

    Raises:
        ConfigError: A store cannot be used.
        BundleError: The bundle is refused.
    """
    return await _START[process.options.service](process)


async def _all(process: Process) -> Started:
    options, clock, workers = process.options, process.clock, process.workers
    closing = process.closing.enter_context(ExitStack())
    shop = await _in_thread(lambda: Shop.open(options.store, options.bundle, options.config, clock, closing))
    stores = shop.stores
    writers, watching = _threads(process, "writer", WRITERS), _threads(process, "watching", WATCHING)
    profile = ProfileServicer(
        stores.profiles,
        workers,
        watching=watching,
        clock=clock,
        catalog_revision=lambda: stores.catalog.revision,
    )
    retrieval = RetrievalServicer(
        lambda: shop.retriever, stores.items, workers, writers=writers, watching=watching, clock=clock
    )
    local = LocalServices(stores.profiles, lambda: shop.retriever, lambda: shop.engine, workers)

    def sellable(item_id: str) -> bool:
        row = int(stores.catalog.rows([item_id])[0])
        return row >= 0 and bool(stores.catalog.sellable[row])

    recommender = Recommender(Ports(local, local, local), options.config, clock, process.metrics, sellable)
    return Started(
        {
            PROFILE: _adding(profile_pb2_grpc.add_ProfileServiceServicer_to_server, profile),
            RETRIEVAL: _adding(retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server, retrieval),
            RANKING: _ranking(lambda: shop.engine, stores.catalog, process),
            RECOMMENDATION: _adding(
                recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server,
                RecommendationServicer(recommender),
            ),
        },
        f"{len(stores.catalog):,} items, {_named(shop.engine)}",
        [profile.stop, retrieval.stop],
    )


async def _profile(process: Process) -> Started:
    options = process.options
    catalog = await _followed(process)
    profiles = await _in_thread(
        lambda: Profiles.open(options.store, options.config, catalog.counter_keys, process.clock)
    )
    process.closing.callback(profiles.close)
    servicer = ProfileServicer(
        profiles,
        process.workers,
        watching=_threads(process, "watching", WATCHING),
        clock=process.clock,
        catalog_revision=lambda: catalog.revision,
    )
    add = _adding(profile_pb2_grpc.add_ProfileServiceServicer_to_server, servicer)
    return Started({PROFILE: add}, f"{profiles.watermark:,} events", [servicer.stop])


async def _retrieval(process: Process) -> Started:
    options, config = process.options, process.options.config
    catalog = Catalog(config.seed)
    store = await _in_thread(lambda: CatalogStore.open(options.store, catalog, shop=config.shop))
    process.closing.callback(store.close)
    popularity = make_popularity(catalog, config)
    process.closing.callback(PopularityKeeper(popularity, store).close)
    activity = RemoteActivity(popularity, await _channel(options.addresses.profile, process), process.workers)
    activity.start()
    process.closing.push_async_callback(activity.close)
    attached = await _in_thread(lambda: attach(options.bundle, catalog))
    retriever = Retriever(catalog, popularity, attached, config, store)
    servicer = RetrievalServicer(
        lambda: retriever,
        store,
        process.workers,
        writers=_threads(process, "writer", WRITERS),
        watching=_threads(process, "watching", WATCHING),
        clock=process.clock,
    )
    add = _adding(retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server, servicer)
    return Started({RETRIEVAL: add}, f"{len(catalog):,} items", [servicer.stop])


async def _ranking_alone(process: Process) -> Started:
    options = process.options
    catalog = await _followed(process)
    attached = await _in_thread(lambda: attach(options.bundle, catalog))
    engine = RankingEngine(catalog, attached, options.config, discover())
    return Started({RANKING: _ranking(lambda: engine, catalog, process)}, _named(engine))


async def _recommendation(process: Process) -> Started:
    addresses = process.options.addresses
    ports = Ports(
        RemoteProfile(await _channel(addresses.profile, process)),
        RemoteRetrieval(await _channel(addresses.retrieval, process)),
        RemoteRanking(await _channel(addresses.ranking, process)),
    )
    recommender = Recommender(ports, process.options.config, process.clock, process.metrics)
    add = _adding(
        recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server,
        RecommendationServicer(recommender),
    )
    return Started({RECOMMENDATION: add}, f"over {addresses}")


_START = {
    "all": _all,
    "profile": _profile,
    "retrieval": _retrieval,
    "ranking": _ranking_alone,
    "recommendation": _recommendation,
}


async def _followed(process: Process) -> Catalog:
    """A copy of the catalogue that the retrieval service owns."""
    catalog = Catalog(process.options.config.seed)
    address = process.options.addresses.retrieval
    follower = CatalogFollower(catalog, await _channel(address, process), process.workers)
    follower.start()
    process.closing.push_async_callback(follower.close)
    if not await follower.wait(CATALOG_SECONDS):
        log.warning("no catalogue from %s yet; serving without, and going on to ask for it", address)
    return catalog


async def _channel(address: str, process: Process) -> grpc.aio.Channel:
    return await process.closing.enter_async_context(
        grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
    )


async def _in_thread(work: Callable[[], T]) -> T:
    """Start-up work off the event loop, on which watches are read meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(None, work)


def _threads(process: Process, name: str, count: int) -> Executor:
    """Threads beside the workers. They end after the server and, made after the stores are opened, before these."""
    threads = ThreadPoolExecutor(count, thread_name_prefix=f"vitrine-{name}")
    process.closing.callback(threads.shutdown, cancel_futures=True)
    return threads


def _adding(add: Callable[[S, grpc.aio.Server], None], servicer: S) -> Callable[[grpc.aio.Server], None]:
    return lambda server: add(servicer, server)


def _ranking(
    engine: Callable[[], RankingEngine], catalog: Catalog, process: Process
) -> Callable[[grpc.aio.Server], None]:
    servicer = RankingServicer(engine, catalog, process.clock, process.workers)
    return _adding(ranking_pb2_grpc.add_RankingServiceServicer_to_server, servicer)


def _named(engine: RankingEngine) -> str:
    """What an engine ranks with, for the log; what is off is said."""
    for name, why in engine.rankers.off.items():
        log.warning("ranker '%s' is off: %s", name, why)
    versions = engine.versions
    plugins = ", ".join(f"{name} {version}" for name, version in versions.plugins)
    return f"bundle {versions.bundle or 'none'}, rankers {plugins or 'none'}"
