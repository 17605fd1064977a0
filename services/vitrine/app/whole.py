"""All four services around one shop, in one process."""

from contextlib import ExitStack

from vitrine.api.profile.v1 import profile_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc
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
from vitrine.app.shop import Shop
from vitrine.config import Config
from vitrine.profile.service import ProfileServicer
from vitrine.recommendation.local import LocalServices
from vitrine.recommendation.recommender import Recommender
from vitrine.recommendation.service import RecommendationServicer
from vitrine.retrieval.service import RetrievalServicer


async def start_all(process: Process) -> Started:
    """Opens the shop and serves it.

    Raises:
        ConfigError: A store cannot be used.
        BundleError: The bundle is refused.
    """
    options, clock, workers = process.options, process.clock, process.workers
    closing = process.closing.enter_context(ExitStack())
    shop = await in_thread(
        lambda: Shop.open(options.store, options.bundle, options.config, clock, closing, process.metrics)
    )
    stores, generations = shop.stores, shop.reloader.generations
    writers, watching = threads(process, "writer", WRITERS), threads(process, "watching", WATCHING)
    profile = ProfileServicer(
        stores.profiles,
        workers,
        watching=watching,
        clock=clock,
        catalog_revision=lambda: stores.catalog.revision,
    )
    retrieval = RetrievalServicer(
        generations.retriever, stores.items, workers, writers=writers, watching=watching, clock=clock
    )
    local = LocalServices(stores.profiles, generations.both, process.waiter)

    def begin() -> Config:
        generation = generations.current
        local.begin(generation.models)
        return generation.config

    recommender = Recommender(local, begin, clock, process.metrics, stores.catalog.may_sell)
    reloads, _ = reloading(process, shop.reloader)
    return Started(
        {
            PROFILE: adding(profile_pb2_grpc.add_ProfileServiceServicer_to_server, profile),
            RETRIEVAL: adding(retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server, retrieval),
            RANKING: ranking(generations.engine, stores.catalog, process),
            RECOMMENDATION: adding(
                recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server,
                RecommendationServicer(recommender),
            ),
            **reloads,
        },
        f"{len(stores.catalog):,} items, {named(generations.current)}",
        [profile.stop, retrieval.stop],
        lambda: generations.engine("").plugins(),
    )
