"""Answers calls in a worker as the servicers of one process do, from bytes to bytes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import grpc

from vitrine.api.bundle.v1 import bundle_pb2
from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.app.workers.given import GivenProfiles
from vitrine.app.workers.making import Made
from vitrine.app.workers.messages import Answer, Ask, Method
from vitrine.bundle.service import BundleServicer
from vitrine.config import Config
from vitrine.domain.stages import current_spent
from vitrine.hosting import Waiter
from vitrine.hosting.workers import Workers
from vitrine.ranking.service import RankingServicer
from vitrine.recommendation.local import LocalServices
from vitrine.recommendation.recommender import Recommender
from vitrine.recommendation.service import RecommendationServicer
from vitrine.retrieval.service import Retrieving
from vitrine.rpc.guard import careful, explain, good
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.staged import closing, failed, opening
from vitrine.rpc.status import serialised

Behaviour = Callable[[Any, Any], Awaitable[Any]]


class _Left:
    """What servicers read of gRPC's context."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time_remaining(self) -> float | None:
        """Seconds, ``None`` for no deadline."""
        return None if self._seconds < 0 else self._seconds


class Answering:
    """The calls that workers answer.

    Args:
        made: With what.
        threads: Where.
        metrics: Takes stages and what was degraded.
    """

    def __init__(self, made: Made, threads: Workers, metrics: Metrics) -> None:
        self._made = made
        self._metrics = metrics
        generations, catalog, clock = made.reloader.generations, made.mirror.catalog, made.clock
        waiter = Waiter(threads)
        local = LocalServices(GivenProfiles(), generations.both, waiter)

        def begin() -> Config:
            generation = generations.current
            local.begin(generation.models)
            return generation.config

        front = RecommendationServicer(Recommender(local, begin, clock, metrics, catalog.may_sell))
        retrieval = Retrieving(generations.retriever, threads, clock=clock)
        ranking = RankingServicer(generations.engine, catalog, clock, waiter)
        bundle = BundleServicer(made.reloader, threads)
        plain: list[tuple[Method, Any, Behaviour]] = [
            (Method.EXPLAIN_WINDOW, recommendation_pb2.ExplainRequest, front.Explain),
            (Method.RETRIEVE, retrieval_pb2.RetrieveRequest, retrieval.Retrieve),
            (Method.RANK, ranking_pb2.RankRequest, ranking.Rank),
            (Method.EXPLAIN_RANK, ranking_pb2.ExplainRequest, ranking.Explain),
            (Method.LIST_RANKERS, ranking_pb2.ListRankersRequest, ranking.ListRankers),
            (Method.GET_BUNDLE, bundle_pb2.GetBundleRequest, bundle.GetBundle),
        ]
        self._methods: dict[int, tuple[Callable[[bytes], Any], Behaviour, Callable[[Any], bytes]]] = {
            method: (careful(request.FromString), behaviour, _serialise)
            for method, request, behaviour in plain
        }
        parse = opening(careful(recommendation_pb2.RecommendRequest.FromString))
        self._methods[Method.RECOMMEND] = (parse, front.Recommend, closing(_serialise, metrics))

    async def answer(self, ask: Ask) -> Answer:
        """What a call answers, or the status that its caller shall see. Call it in a task of its own."""
        made = self._made
        made.clock.begin(ask)
        try:
            if made.mirror.catalog.revision < ask.revision:
                # Whoever changed an item and was told so sees it; the owner's clock goes on meanwhile.
                await asyncio.get_running_loop().run_in_executor(None, made.mirror.refresh, ask.revision)
            parse, behaviour, serialise = self._methods[ask.method]
            request = good(parse(ask.request))
            spent = current_spent.get()
            if spent is not None and ask.began:
                spent.began = ask.began
            context = cast("grpc.aio.ServicerContext[Any, Any]", _Left(ask.seconds))
            return Answer(ask.number, serialise(await behaviour(request, context)))
        except Exception as error:  # noqa: BLE001 - logged or explained by `explain`
            code, status = explain(error, Method(ask.method).name)
            if current_spent.get() is not None:
                failed(self._metrics)
            return Answer(ask.number, serialised(status), code)


def _serialise(message: Any) -> bytes:
    return bytes(message.SerializeToString())
