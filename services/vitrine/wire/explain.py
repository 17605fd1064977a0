"""Explanations, and the questions for them."""

from vitrine.api.common.v1 import common_pb2
from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.domain.explanation import ColumnShare, Exclusion, Explained, Explanation, GroupShare
from vitrine.domain.ids import check_id
from vitrine.domain.request import Filters
from vitrine.errors import InvalidInput
from vitrine.ranking.query import RankingQuery
from vitrine.wire.answers import (
    degraded_from_proto,
    degraded_to_proto,
    reason_from_proto,
    reason_to_proto,
    versions_from_proto,
    versions_to_proto,
)
from vitrine.wire.candidates import candidates_from_proto
from vitrine.wire.ranking import query_from_proto, ranking_query_to_proto
from vitrine.wire.requests import filters_from_proto, filters_to_proto
from vitrine.wire.times import timestamp_from_proto

MAX_CANDIDATES = 5_001


def explain_query_from_proto(message: pb.ExplainRequest, now: float) -> tuple[RankingQuery, str, Filters]:
    """A checked query of one list, the item, and the filters.

    Raises:
        InvalidInput: Names the field.
    """
    check_id(message.item_id, "item_id")
    if len(message.candidates.item_ids) > MAX_CANDIDATES:
        raise InvalidInput(
            "candidates.item_ids",
            f"has {len(message.candidates.item_ids)} entries; send at most {MAX_CANDIDATES}",
        )
    time = message.request_time
    query = RankingQuery.single(
        timestamp_from_proto(time, "request_time") if message.HasField("request_time") else now,
        query_from_proto(message.query, "query"),
        candidates_from_proto(message.candidates, "candidates"),
        message.bundle_version,
    )
    return query, message.item_id, filters_from_proto(message.filters, "filters")


def explain_query_to_proto(
    query: RankingQuery, item_id: str, filters: Filters, catalog_revision: str = ""
) -> pb.ExplainRequest:
    """As sent."""
    ranked = ranking_query_to_proto(query)
    return pb.ExplainRequest(
        request_time=ranked.request_time,
        query=ranked.queries[0],
        candidates=ranked.candidates,
        item_id=item_id,
        filters=filters_to_proto(filters),
        min_catalog_revision=catalog_revision,
        bundle_version=query.bundle,
    )


def explained_to_proto(explained: Explained, newest_bundle: str) -> pb.ExplainResponse:
    """As sent, with the version of the bundle that is served to those who wish for none."""
    return pb.ExplainResponse(
        explanation=explanation_to_proto(explained.explanation),
        versions=versions_to_proto(explained.versions),
        degraded=degraded_to_proto(explained.degraded),
        newest_bundle_version=newest_bundle,
    )


def explained_from_proto(message: pb.ExplainResponse) -> Explained:
    """As received."""
    return Explained(
        explanation_from_proto(message.explanation),
        versions_from_proto(message.versions),
        degraded_from_proto(message.degraded),
    )


def explanation_to_proto(told: Explanation) -> common_pb2.Explanation:
    """As sent."""
    return common_pb2.Explanation(
        item_id=told.item_id,
        rank=told.rank,
        list_size=told.list_size,
        candidates=told.candidates,
        sources=told.sources,
        added=told.added,
        exclusions=[common_pb2.Exclusion(rule=e.rule, text=e.text) for e in told.exclusions],
        score=told.score,
        decided_by=told.decided_by,
        model_score=told.model_score,
        base=told.base,
        groups=[common_pb2.GroupShare(name=g.name, text=g.text, share=g.share) for g in told.groups],
        columns=[
            common_pb2.ColumnShare(
                name=c.name, text=c.text, group=c.group, value=c.value, reading=c.reading, share=c.share
            )
            for c in told.columns
        ],
        scores=told.scores,
        reason=reason_to_proto(told.reason),
    )


def explanation_from_proto(message: common_pb2.Explanation) -> Explanation:
    """As received."""
    return Explanation(
        item_id=message.item_id,
        rank=message.rank,
        list_size=message.list_size,
        candidates=message.candidates,
        sources=tuple(message.sources),
        added=message.added,
        exclusions=tuple(Exclusion(e.rule, e.text) for e in message.exclusions),
        score=message.score,
        decided_by=message.decided_by,
        model_score=message.model_score,
        base=message.base,
        groups=tuple(GroupShare(g.name, g.text, g.share) for g in message.groups),
        columns=tuple(
            ColumnShare(c.name, c.text, c.group, c.value, c.reading, c.share) for c in message.columns
        ),
        scores=dict(message.scores),
        reason=reason_from_proto(message.reason),
    )
