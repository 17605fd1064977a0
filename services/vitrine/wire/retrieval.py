"""Questions for candidates."""

from collections.abc import Sequence

from vitrine.api.retrieval.v1 import retrieval_pb2 as pb
from vitrine.domain.profile import Profile
from vitrine.errors import InvalidInput
from vitrine.retrieval.query import RetrievalQuery
from vitrine.wire.passed_profile import profile_message
from vitrine.wire.profiles import profile_from_proto
from vitrine.wire.requests import (
    check_ids,
    context_from_proto,
    context_to_proto,
    filters_from_proto,
    filters_to_proto,
)
from vitrine.wire.times import timestamp_from_proto, timestamp_to_proto

MAX_LIMIT = 5000
MAX_SOURCES = 32
MAX_INCLUDED = 20


def retrieval_query_from_proto(message: pb.RetrieveRequest, now: float) -> RetrievalQuery:
    """A checked query; scene and names of sources are checked by who knows them.

    Raises:
        InvalidInput: Names the field.
    """
    if not 0 <= message.limit <= MAX_LIMIT:
        raise InvalidInput("limit", f"is {message.limit}; send 1 to {MAX_LIMIT}, or 0 for the scene's number")
    return RetrievalQuery(
        request_time=timestamp_from_proto(message.request_time, "request_time")
        if message.HasField("request_time")
        else now,
        profile=profile_from_proto(message.profile) if message.HasField("profile") else Profile(),
        context=context_from_proto(message.context, "context"),
        filters=filters_from_proto(message.filters, "filters"),
        scene=message.scene,
        sources=_sources(message.sources),
        limit=message.limit,
        bundle=message.bundle_version,
        include=check_ids(message.include_item_ids, "include_item_ids", MAX_INCLUDED),
    )


def _sources(messages: Sequence[pb.SourceRequest]) -> dict[str, int] | None:
    if len(messages) > MAX_SOURCES:
        raise InvalidInput("sources", f"has {len(messages)} entries; send at most {MAX_SOURCES}")
    sources: dict[str, int] = {}
    for index, message in enumerate(messages):
        if message.name in sources:
            raise InvalidInput(f"sources[{index}].name", f"'{message.name}' comes twice")
        if not 1 <= message.limit <= MAX_LIMIT:
            raise InvalidInput(f"sources[{index}].limit", f"is {message.limit}; send 1 to {MAX_LIMIT}")
        sources[message.name] = message.limit
    return sources or None


def retrieval_query_to_proto(query: RetrievalQuery) -> pb.RetrieveRequest:
    """As sent."""
    return pb.RetrieveRequest(
        request_time=timestamp_to_proto(query.request_time),
        profile=profile_message(query.profile, query.request_time),
        context=context_to_proto(query.context),
        filters=filters_to_proto(query.filters),
        scene=query.scene,
        sources=[pb.SourceRequest(name=n, limit=limit) for n, limit in (query.sources or {}).items()],
        limit=query.limit,
        bundle_version=query.bundle,
        include_item_ids=query.include,
    )
