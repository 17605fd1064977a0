"""One service in a process of its own, which finds the others by address."""

import logging

import grpc

from vitrine.api.profile.v1 import profile_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc
from vitrine.app.maker import Finding, Maker
from vitrine.app.parts import (
    PROFILE,
    RANKING,
    RECOMMENDATION,
    RETRIEVAL,
    WATCHING,
    WRITERS,
    Process,
    Started,
    adding,
    in_thread,
    named,
    ranking,
    reloading,
    threads,
)
from vitrine.app.reload import Reloader
from vitrine.app.shop import make_popularity
from vitrine.catalog import Catalog
from vitrine.catalog.follower import CatalogFollower
from vitrine.catalog.store import CatalogStore
from vitrine.client.channel import CHANNEL_OPTIONS
from vitrine.profile import Profiles
from vitrine.profile.service import ProfileServicer
from vitrine.recommendation.ports import Ports
from vitrine.recommendation.recommender import Recommender
from vitrine.recommendation.remote import Newest, RemoteProfile, RemoteRanking, RemoteRetrieval
from vitrine.recommendation.service import RecommendationServicer
from vitrine.retrieval.activity import PopularityKeeper
from vitrine.retrieval.remote import RemoteActivity
from vitrine.retrieval.service import RetrievalServicer

log = logging.getLogger(__name__)

# How long a part waits at its start for the catalogue that another owns, before it serves without.
CATALOG_SECONDS = 20.0


async def start_profile(process: Process) -> Started:
    """Profiles over a store, counting by a copy of the catalogue."""
    options = process.options
    catalog = await _followed(process)
    profiles = await in_thread(
        lambda: Profiles.open(options.store, options.config, catalog.counter_keys, process.clock)
    )
    process.closing.callback(profiles.close)
    servicer = ProfileServicer(
        profiles,
        process.workers,
        watching=threads(process, "watching", WATCHING),
        clock=process.clock,
        catalog_revision=lambda: catalog.revision,
    )
    add = adding(profile_pb2_grpc.add_ProfileServiceServicer_to_server, servicer)
    reloads, _ = reloading(process)
    return Started({PROFILE: add, **reloads}, f"{profiles.watermark:,} events", [servicer.stop])


async def start_retrieval(process: Process) -> Started:
    """The catalogue over a store, and popularity fed from the profile service."""
    options, config = process.options, process.options.config
    catalog = Catalog(config.seed)
    store = await in_thread(lambda: CatalogStore.open(options.store, catalog, shop=config.shop))
    process.closing.callback(store.close)
    popularity = make_popularity(catalog, config)
    process.closing.callback(PopularityKeeper(popularity, store).close)
    activity = RemoteActivity(popularity, await _channel(options.addresses.profile, process), process.workers)
    activity.start()
    process.closing.push_async_callback(activity.close)
    reloader = await _reloader(process, catalog, Finding(popularity, store), ranks=False)
    servicer = RetrievalServicer(
        reloader.generations.retriever,
        store,
        process.workers,
        writers=threads(process, "writer", WRITERS),
        watching=threads(process, "watching", WATCHING),
        clock=process.clock,
    )
    add = adding(retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server, servicer)
    reloads, _ = reloading(process, reloader)
    return Started(
        {RETRIEVAL: add, **reloads},
        f"{len(catalog):,} items, {named(reloader.generations.current)}",
        [servicer.stop],
    )


async def start_ranking(process: Process) -> Started:
    """Rankers over a copy of the catalogue; it owns no store."""
    catalog = await _followed(process)
    reloader = await _reloader(process, catalog, None, ranks=True)
    generations = reloader.generations
    reloads, _ = reloading(process, reloader)
    return Started(
        {RANKING: ranking(generations.engine, catalog, process), **reloads},
        named(generations.current),
        plugins=lambda: generations.engine("").plugins(),
    )


async def start_recommendation(process: Process) -> Started:
    """The front over the three other services."""
    addresses, newest = process.options.addresses, Newest()
    ports = Ports(
        RemoteProfile(await _channel(addresses.profile, process)),
        RemoteRetrieval(await _channel(addresses.retrieval, process), newest),
        RemoteRanking(await _channel(addresses.ranking, process), newest),
    )
    reloads, config = reloading(process)
    recommender = Recommender(ports, config, process.clock, process.metrics)
    add = adding(
        recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server,
        RecommendationServicer(recommender),
    )
    return Started({RECOMMENDATION: add, **reloads}, f"over {addresses}")


async def _reloader(process: Process, catalog: Catalog, finding: Finding | None, *, ranks: bool) -> Reloader:
    """The bundle that a part serves."""
    options = process.options
    maker = Maker(catalog, options.config, process.clock, process.metrics, finding=finding, ranks=ranks)
    reloader = await in_thread(lambda: Reloader.open(options.bundle, maker, process.metrics))
    process.closing.callback(reloader.generations.close)
    return reloader


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
