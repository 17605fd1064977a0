"""All four services around one shop, with worker processes that find and order candidates."""

from contextlib import ExitStack
from functools import partial

from vitrine.api.profile.v1 import profile_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc
from vitrine.app.maker import Finding, Maker
from vitrine.app.parts import (
    BUNDLE,
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
    reloading_all,
    threads,
)
from vitrine.app.reload import Reloader
from vitrine.app.shop import Stores, make_popularity
from vitrine.app.watch import look_at
from vitrine.app.workers.alone import Alone
from vitrine.app.workers.asking import Asking
from vitrine.app.workers.counted import merged_registry
from vitrine.app.workers.front import Front
from vitrine.app.workers.health import WorkerHealth
from vitrine.app.workers.messages import Activity, Changed, Method, Start
from vitrine.app.workers.methods import handlers, parsed, raw
from vitrine.app.workers.pool import Pool
from vitrine.app.workers.reloads import EveryBundle, EveryConfig
from vitrine.app.workers.switching import Wanted, encoded
from vitrine.bundle.items import image_of
from vitrine.catalog.columns import Rows
from vitrine.domain import events
from vitrine.errors import BundleError
from vitrine.profile.service import ProfileServicer
from vitrine.recommendation.ports import Ports
from vitrine.recommendation.recommender import Recommender
from vitrine.recommendation.service import RecommendationServicer
from vitrine.retrieval.activity import LocalActivity, PopularityKeeper
from vitrine.retrieval.service import RetrievalServicer
from vitrine.wire.profiles import activity_to_proto


async def start_with_workers(process: Process) -> Started:
    """Opens the stores, starts the workers over them, and serves.

    Raises:
        ConfigError: A store cannot be used, or a worker cannot be made.
        BundleError: The bundle is refused.
    """
    options, clock, metrics = process.options, process.clock, process.metrics
    closing = process.closing.enter_context(ExitStack())
    stores = await in_thread(lambda: closing.enter_context(Stores.open(options.store, options.config, clock)))
    catalog, profiles = stores.catalog, stores.profiles
    popularity = make_popularity(catalog, options.config)
    closing.callback(PopularityKeeper(popularity, stores.items).close)
    closing.callback((await in_thread(lambda: LocalActivity(popularity, profiles))).close)

    # What windows are made of while no worker is there: without models.
    maker = Maker(
        catalog, options.config, clock, metrics, finding=Finding(popularity, stores.items), ranks=False
    )
    own = await in_thread(lambda: Reloader.open(None, maker, metrics))
    closing.callback(own.generations.close)

    # Workers read what the store remembers of a bundle, and cannot have it remember more.
    keep = partial(image_of, memory=stores.items)
    wanted, seen = Wanted(own.config), None
    closing.callback(wanted.close)
    if (folder := options.bundle and options.bundle.absolute()) is not None:
        seen = look_at(folder)
        wanted.kept = await in_thread(lambda: keep(folder))

    store = str(options.store.absolute())

    def start(number: int) -> Start:
        served = encoded(wanted.config), store, wanted.where
        return Start(number, *served, options.threads, clock(), *popularity.dump())

    pool = Pool(options.workers, start, wanted.catch_up)
    process.closing.push_async_callback(pool.close)
    _tell(pool, stores, closing)
    try:
        await pool.open()
    except BundleError as error:
        # Who starts the server knows the folder, and not where workers find what was in it.
        raise BundleError(str(error).replace(wanted.where or "\0", str(folder))) from None

    asking = Asking(pool, clock, lambda: catalog.revision)
    bundle = EveryBundle(folder, keep, wanted, pool, metrics, seen)
    config = EveryConfig(own, wanted, pool)
    metrics.registry = merged_registry(metrics.registry, pool, asking.asked)
    writers, watching = threads(process, "writer", WRITERS), threads(process, "watching", WATCHING)
    profile = ProfileServicer(
        profiles, process.workers, watching=watching, clock=clock, catalog_revision=lambda: catalog.revision
    )
    retrieval = RetrievalServicer(
        own.generations.retriever,
        stores.items,
        process.workers,
        writers=writers,
        watching=watching,
        clock=clock,
    )
    ports = Alone(profiles, own.generations.retriever, process.workers)

    recommender = Recommender(
        Ports(ports, ports, ports), lambda: config.config, clock, metrics, catalog.may_sell
    )
    alone = RecommendationServicer(recommender)
    front = Front(asking, ports, alone, lambda: config.config)
    reloads = reloading_all(process, config, bundle)
    health = WorkerHealth(pool)
    process.closing.push_async_callback(health.close)
    return Started(
        {
            PROFILE: adding(profile_pb2_grpc.add_ProfileServiceServicer_to_server, profile),
            RETRIEVAL: handlers(
                RETRIEVAL,
                {"Retrieve": raw(front.handing(Method.RETRIEVE))},
                adding(retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server, retrieval),
            ),
            RANKING: handlers(
                RANKING,
                {
                    "Rank": raw(front.handing(Method.RANK)),
                    "Explain": raw(front.handing(Method.EXPLAIN_RANK)),
                    "ListRankers": raw(front.list_rankers),
                },
            ),
            RECOMMENDATION: handlers(
                RECOMMENDATION,
                {
                    "Recommend": parsed(front.recommend, recommendation_pb2.RecommendRequest.FromString),
                    "Explain": parsed(front.explain, recommendation_pb2.ExplainRequest.FromString),
                },
            ),
            **reloads,
            BUNDLE: handlers(BUNDLE, {"GetBundle": raw(front.handing(Method.GET_BUNDLE))}, reloads[BUNDLE]),
        },
        f"{len(catalog):,} items, bundle {bundle.version or 'none'}, {options.workers} workers",
        [profile.stop, retrieval.stop],
        health=health.start,
    )


def _tell(pool: Pool, stores: Stores, closing: ExitStack) -> None:
    """Has workers told of activity and of changes of the catalogue, in the order in which they come."""
    loop = pool.loop

    def counted(activity: events.Activity) -> None:
        data = activity_to_proto(activity).SerializeToString()
        loop.call_soon_threadsafe(pool.tell, Activity(data))

    def changed(_: Rows) -> None:
        loop.call_soon_threadsafe(pool.tell, Changed(stores.catalog.revision))

    stores.profiles.subscribe(counted)
    closing.callback(stores.profiles.unsubscribe, counted)
    closing.callback(stores.catalog.subscribe(changed))
