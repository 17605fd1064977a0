"""RankingService over gRPC."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import grpc

from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.api.ranking.v1 import ranking_pb2_grpc as pb_grpc
from vitrine.catalog import Catalog
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.clock import Clock
from vitrine.domain.request import Filters
from vitrine.hosting import Leg, Waiter
from vitrine.ranking.engine import RankingEngine
from vitrine.ranking.query import RankingQuery
from vitrine.wire.answers import degraded_to_proto
from vitrine.wire.explain import explain_query_from_proto, explained_to_proto
from vitrine.wire.plugins import plugins_to_proto
from vitrine.wire.ranking import ranked_to_proto, ranking_query_from_proto
from vitrine.wire.stages import stages_to_proto
from vitrine.wire.tokens import REVISION, decode_token

# How long to wait for the catalogue to catch up, and how often to look.
CATCH_UP_SECONDS = 0.05
LOOK_SECONDS = 0.002


class RankingServicer(pb_grpc.RankingServiceServicer):
    """Checks requests and hands them to the engine, in the worker pool.

    Args:
        engine: Answers the engine to use for a wanted version of the bundle, or one that is served instead; what is
            served now for "".
        catalog: Its catalogue, asked how far it is.
        clock: The time of requests that carry none.
        waiter: Waits for it, in the worker pool.
    """

    def __init__(
        self, engine: Callable[[str], RankingEngine], catalog: Catalog, clock: Clock, waiter: Waiter
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._clock = clock
        self._waiter = waiter

    async def Rank(
        self, request: pb.RankRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.RankResponse:
        """Orders the candidates of one or several queries."""
        wanted = decode_token(REVISION, request.min_catalog_revision, "min_catalog_revision")
        fresh = await self._caught_up(wanted)
        now = self._clock()

        # Once: the work may be begun again behind a plugin that hangs, and must then go on with the same models.
        @cache
        def asked() -> tuple[RankingQuery, RankingEngine]:
            query = ranking_query_from_proto(request, now)
            return query, self._engine(query.bundle)

        def work(leg: Leg) -> pb.RankResponse:
            return self._rank(*asked(), fresh, leg, stages=request.include_stages)

        return await self._waiter.run(work, context.time_remaining())

    def _rank(
        self, query: RankingQuery, engine: RankingEngine, fresh: bool, leg: Leg, *, stages: bool
    ) -> pb.RankResponse:
        ranked = engine.rank(query, leg)
        response = ranked_to_proto(ranked, self._engine("").versions.bundle)
        if stages:
            response.stages.CopyFrom(stages_to_proto(ranked.stages))
        if not fresh:
            stale = Degradation(
                "catalog",
                DegradationCode.STALE,
                "ranking has not caught up with the catalogue; prices may lag",
            )
            response.degraded.extend(degraded_to_proto([stale]))
        return response

    async def Explain(
        self, request: pb.ExplainRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ExplainResponse:
        """Tells why one candidate of a query has its place."""
        wanted = decode_token(REVISION, request.min_catalog_revision, "min_catalog_revision")
        await self._caught_up(wanted)
        now = self._clock()

        @cache
        def asked() -> tuple[RankingEngine, RankingQuery, str, Filters]:
            query, item_id, filters = explain_query_from_proto(request, now)
            return self._engine(query.bundle), query, item_id, filters

        def work(leg: Leg) -> pb.ExplainResponse:
            engine, query, item_id, filters = asked()
            explained = engine.explain(query, item_id, filters, leg)
            return explained_to_proto(explained, self._engine("").versions.bundle)

        return await self._waiter.run(work, context.time_remaining())

    async def ListRankers(
        self, request: pb.ListRankersRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ListRankersResponse:
        """The plugins of the configured scenes, as they are now."""
        return plugins_to_proto(self._engine("").plugins())

    async def _caught_up(self, revision: int) -> bool:
        waited = 0.0
        while self._catalog.revision < revision and waited < CATCH_UP_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
        return self._catalog.revision >= revision
