"""RecommendationService over gRPC."""

import secrets
from dataclasses import replace
from typing import Any

import grpc

from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.api.recommendation.v1 import recommendation_pb2_grpc as pb_grpc
from vitrine.domain.ids import check_id
from vitrine.domain.stages import Laps, Spent, current_spent, measured
from vitrine.errors import InvalidInput
from vitrine.recommendation.query import Window, WindowQuery
from vitrine.recommendation.recommender import Recommender
from vitrine.wire.answers import degraded_to_proto, put_reason, versions_to_proto
from vitrine.wire.events import subject_from_proto
from vitrine.wire.explain import explanation_to_proto
from vitrine.wire.requests import context_from_proto, filters_from_proto
from vitrine.wire.times import timestamp_to_proto
from vitrine.wire.tokens import WATERMARK, decode_token, encode_token
from vitrine.wire.trace import trace_to_proto

MAX_LIMIT = 200
DEFAULT_LIMIT = 20


class RecommendationServicer(pb_grpc.RecommendationServiceServicer):
    """Checks requests and hands them to the recommender."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender

    async def Recommend(
        self, request: pb.RecommendRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.RecommendResponse:
        """The items for one window."""
        laps, spent = Laps(), current_spent.get() or Spent()
        spent.wanted = request.include_stages
        request_id = (
            check_id(request.request_id, "request_id") if request.request_id else secrets.token_hex(8)
        )
        query = replace(
            _query(request),
            include_scores=request.include_scores,
            include_trace=request.include_trace,
            request_id=request_id,
        )
        laps.lap("decode")
        spent.add(laps.stages)
        window = await self._recommender.recommend(query, context.time_remaining())
        response, stages = measured("encode", lambda: _response(window))
        spent.add(stages)
        return response

    async def Explain(
        self, request: pb.ExplainRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ExplainResponse:
        """Why an item has its place in a window, or none."""
        item_id = check_id(request.item_id, "item_id")
        explained = await self._recommender.explain(_query(request), item_id, context.time_remaining())
        return pb.ExplainResponse(
            explanation=explanation_to_proto(explained.explanation),
            request_time=timestamp_to_proto(explained.request_time),
            versions=versions_to_proto(explained.versions),
            degraded=degraded_to_proto(explained.degraded),
            profile_watermark=encode_token(WATERMARK, explained.profile_watermark),
        )


def _query(request: pb.RecommendRequest | pb.ExplainRequest) -> WindowQuery:
    if not 0 <= request.limit <= MAX_LIMIT:
        raise InvalidInput("limit", f"is {request.limit}; send 1 to {MAX_LIMIT}, or 0 for {DEFAULT_LIMIT}")
    return WindowQuery(
        subject=subject_from_proto(request.subject, "subject") if request.HasField("subject") else None,
        scene=request.scene,
        limit=request.limit or DEFAULT_LIMIT,
        context=context_from_proto(request.context, "context"),
        filters=filters_from_proto(request.filters, "filters"),
        min_watermark=decode_token(WATERMARK, request.min_watermark, "min_watermark"),
    )


def _response(window: Window) -> pb.RecommendResponse:
    response = pb.RecommendResponse(
        request_id=window.request_id,
        request_time=timestamp_to_proto(window.request_time),
        versions=versions_to_proto(window.versions),
        degraded=degraded_to_proto(window.degraded),
        profile_watermark=encode_token(WATERMARK, window.profile_watermark),
        trace=trace_to_proto(window.trace) if window.trace is not None else None,
    )
    # In place: a message that is handed over is copied.
    for item in window.items:
        message = response.items.add(
            item_id=item.item_id, score=item.score, sources=item.sources, scores=item.scores or None
        )
        put_reason(item.reason, message.reason)
    return response
