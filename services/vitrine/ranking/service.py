"""RankingService over gRPC."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import grpc

from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.api.ranking.v1 import ranking_pb2_grpc as pb_grpc
from vitrine.catalog import Catalog
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.clock import Clock
from vitrine.ranking.engine import RankingEngine
from vitrine.wire.answers import degraded_to_proto
from vitrine.wire.explain import explain_query_from_proto, explained_to_proto
from vitrine.wire.ranking import ranked_to_proto, ranking_query_from_proto
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
        workers: Where ranking runs.
    """

    def __init__(
        self, engine: Callable[[str], RankingEngine], catalog: Catalog, clock: Clock, workers: Executor
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._clock = clock
        self._workers = workers

    async def Rank(
        self, request: pb.RankRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.RankResponse:
        """Orders the candidates of one or several queries."""
        wanted = decode_token(REVISION, request.min_catalog_revision, "min_catalog_revision")
        fresh = await self._caught_up(wanted)
        return await asyncio.get_running_loop().run_in_executor(self._workers, self._rank, request, fresh)

    def _rank(self, request: pb.RankRequest, fresh: bool) -> pb.RankResponse:
        query = ranking_query_from_proto(request, self._clock())
        ranked = self._engine(query.bundle).rank(query)
        response = ranked_to_proto(ranked, self._engine("").versions.bundle)
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
        return await asyncio.get_running_loop().run_in_executor(self._workers, self._explain, request)

    def _explain(self, request: pb.ExplainRequest) -> pb.ExplainResponse:
        query, item_id, filters = explain_query_from_proto(request, self._clock())
        explained = self._engine(query.bundle).explain(query, item_id, filters)
        return explained_to_proto(explained, self._engine("").versions.bundle)

    async def _caught_up(self, revision: int) -> bool:
        waited = 0.0
        while self._catalog.revision < revision and waited < CATCH_UP_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
        return self._catalog.revision >= revision
