"""Ranking requests and answers."""

import numpy as np

from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.domain.candidates import Ranked, RankedList
from vitrine.errors import InvalidInput
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.wire.answers import (
    degraded_from_proto,
    degraded_to_proto,
    reason_from_proto,
    reason_to_proto,
    versions_from_proto,
    versions_to_proto,
)
from vitrine.wire.candidates import candidates_from_proto, candidates_message
from vitrine.wire.interests import interests_from_bytes, interests_to_bytes
from vitrine.wire.passed_profile import profile_message
from vitrine.wire.profiles import profile_from_proto
from vitrine.wire.requests import context_from_proto, context_to_proto
from vitrine.wire.stages import stages_from_proto
from vitrine.wire.times import timestamp_from_proto, timestamp_to_proto
from vitrine.wire.trace import trace_from_proto, trace_to_proto

MAX_QUERIES = 256
MAX_CANDIDATES = 50_000
MAX_LIMIT = 1000
DEFAULT_LIMIT = 20


def ranking_query_from_proto(message: pb.RankRequest, now: float) -> RankingQuery:
    """A checked query.

    Raises:
        InvalidInput: Names the field.
    """
    if not 1 <= len(message.queries) <= MAX_QUERIES:
        raise InvalidInput("queries", f"has {len(message.queries)} entries; send 1 to {MAX_QUERIES}")
    if len(message.candidates.item_ids) > MAX_CANDIDATES:
        raise InvalidInput(
            "candidates.item_ids",
            f"has {len(message.candidates.item_ids)} entries; send at most {MAX_CANDIDATES}",
        )
    candidates = candidates_from_proto(message.candidates, "candidates")
    time = message.request_time
    return RankingQuery(
        request_time=timestamp_from_proto(time, "request_time") if message.HasField("request_time") else now,
        queries=tuple(query_from_proto(query, f"queries[{i}]") for i, query in enumerate(message.queries)),
        candidates=candidates,
        offsets=_offsets(message, len(candidates)),
        bundle=message.bundle_version,
        trace=message.include_trace,
    )


def query_from_proto(message: pb.RankQuery, field: str) -> ShopperQuery:
    """One checked query; its scene is checked by who knows the scenes.

    Raises:
        InvalidInput: Names the field.
    """
    if not 0 <= message.limit <= MAX_LIMIT:
        raise InvalidInput(
            f"{field}.limit", f"is {message.limit}; send 1 to {MAX_LIMIT}, or 0 for {DEFAULT_LIMIT}"
        )
    return ShopperQuery(
        profile=profile_from_proto(message.profile, f"{field}.profile"),
        scene=message.scene,
        context=context_from_proto(message.context, f"{field}.context"),
        limit=message.limit or DEFAULT_LIMIT,
        interests=interests_from_bytes(message.interests, f"{field}.interests"),
    )


def _offsets(message: pb.RankRequest, candidates: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if not message.offsets and len(message.queries) == 1:
        return np.array([0, candidates], np.int64)
    offsets = np.array(message.offsets, np.int64)
    if len(offsets) != len(message.queries) + 1:
        raise InvalidInput("offsets", f"has {len(offsets)} entries; send one more than queries")
    if offsets[0] != 0 or offsets[-1] != candidates or (np.diff(offsets) < 0).any():
        raise InvalidInput(
            "offsets", f"must start at 0, never fall, and end at {candidates}, the number of candidates"
        )
    return offsets


def ranking_query_to_proto(query: RankingQuery, catalog_revision: str = "") -> pb.RankRequest:
    """As sent."""
    return pb.RankRequest(
        request_time=timestamp_to_proto(query.request_time),
        queries=[
            pb.RankQuery(
                profile=profile_message(q.profile, query.request_time),
                context=context_to_proto(q.context),
                scene=q.scene,
                limit=q.limit,
                interests=b"" if q.interests is None else interests_to_bytes(q.interests),
            )
            for q in query.queries
        ],
        candidates=candidates_message(query.candidates),
        offsets=query.offsets.tolist(),
        min_catalog_revision=catalog_revision,
        bundle_version=query.bundle,
        include_trace=query.trace,
    )


def ranked_to_proto(ranked: Ranked, newest_bundle: str) -> pb.RankResponse:
    """As sent, with the version of the bundle that is served to those who wish for none."""
    return pb.RankResponse(
        lists=[
            pb.RankedList(
                positions=one.positions.tolist(),
                scores=one.scores.tolist(),
                component_scores=one.component_scores.astype("<f4", copy=False).tobytes(),
                reasons=[reason_to_proto(reason) for reason in one.reasons],
                trace=trace_to_proto(one.trace) if one.trace is not None else None,
            )
            for one in ranked.lists
        ],
        score_names=ranked.score_names,
        versions=versions_to_proto(ranked.versions),
        degraded=degraded_to_proto(ranked.degraded),
        newest_bundle_version=newest_bundle,
    )


def ranked_from_proto(message: pb.RankResponse) -> Ranked:
    """As received."""
    columns = len(message.score_names)
    return Ranked(
        lists=[
            RankedList(
                positions=np.array(one.positions[:], np.int64),
                scores=np.array(one.scores[:], np.float32),
                component_scores=np.frombuffer(one.component_scores, "<f4").reshape(
                    len(one.positions), columns
                ),
                reasons=[reason_from_proto(reason) for reason in one.reasons],
                trace=trace_from_proto(one.trace) if one.HasField("trace") else None,
            )
            for one in message.lists
        ],
        score_names=tuple(message.score_names),
        versions=versions_from_proto(message.versions),
        degraded=degraded_from_proto(message.degraded),
        stages=stages_from_proto(message.stages),
    )
