"""The services in other processes, through their stubs."""

from collections.abc import Awaitable
from typing import TypeVar

import grpc

from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc
from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.request import Filters
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput, NotFound, NotReady, Timeout, Unavailable, VitrineError
from vitrine.ranking.query import RankingQuery
from vitrine.retrieval import RetrievalQuery
from vitrine.wire.candidates import retrieved_from_proto
from vitrine.wire.events import subject_to_proto
from vitrine.wire.explain import explain_query_to_proto, explained_from_proto
from vitrine.wire.passed_profile import passed_profile
from vitrine.wire.ranking import ranked_from_proto, ranking_query_to_proto
from vitrine.wire.retrieval import retrieval_query_to_proto
from vitrine.wire.tokens import REVISION, WATERMARK, encode_token

T = TypeVar("T")

# What is left of a stage's time when the call is sent: the answer has to travel too.
MARGIN_SECONDS = 0.001


class Newest:
    """The version of the bundle that ranking last said it serves.

    Retrieval is asked for the same: the two are reloaded one after the other, and each keeps what it replaced for a
    while, so that what both have is what ranking had last.

    Attributes:
        version: The version; empty as long as ranking has not answered.
    """

    def __init__(self) -> None:
        self.version = ""


class RemoteProfile:
    """Follows `ProfilePort`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = profile_pb2_grpc.ProfileServiceStub(channel)

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        """Reads a profile."""
        request = profile_pb2.GetProfileRequest(
            subject=subject_to_proto(subject),
            min_watermark=encode_token(WATERMARK, min_watermark) if min_watermark else "",
        )
        response = await _answer(self._stub.GetProfile(request, timeout=timeout - MARGIN_SECONDS))
        return passed_profile(response.profile)


class RemoteRetrieval:
    """Follows `RetrievalPort`; a query that wishes for no version gets the one that ranking has."""

    def __init__(self, channel: grpc.aio.Channel, newest: Newest) -> None:
        self._stub = retrieval_pb2_grpc.RetrievalServiceStub(channel)
        self._newest = newest

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """Finds candidates."""
        request = retrieval_query_to_proto(query)
        request.bundle_version = query.bundle or self._newest.version
        request.include_stages = request.include_interests = True
        return retrieved_from_proto(
            await _answer(self._stub.Retrieve(request, timeout=timeout - MARGIN_SECONDS))
        )


class RemoteRanking:
    """Follows `RankingPort`, and remembers what ranking serves."""

    def __init__(self, channel: grpc.aio.Channel, newest: Newest) -> None:
        self._stub = ranking_pb2_grpc.RankingServiceStub(channel)
        self._newest = newest

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        """Orders candidates."""
        request = ranking_query_to_proto(query, encode_token(REVISION, catalog_revision))
        request.include_stages = True
        response = await _answer(self._stub.Rank(request, timeout=timeout - MARGIN_SECONDS))
        self._newest.version = response.newest_bundle_version
        return ranked_from_proto(response)

    async def explain(
        self, query: RankingQuery, item_id: str, filters: Filters, catalog_revision: int, timeout: float
    ) -> Explained:
        """Why a candidate has its place."""
        request = explain_query_to_proto(query, item_id, filters, encode_token(REVISION, catalog_revision))
        response = await _answer(self._stub.Explain(request, timeout=timeout - MARGIN_SECONDS))
        self._newest.version = response.newest_bundle_version
        return explained_from_proto(response)


async def _answer(call: Awaitable[T]) -> T:
    """What a call answers, its failure as an error of ours. Texts of other processes are not passed on."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise _error(error.code()) from None


def _error(code: grpc.StatusCode) -> VitrineError:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Timeout("did not answer in its share of the deadline")
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        return NotReady("has not caught up with the watermark")
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFound("request", "names something that the service behind the front does not have")
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return InvalidInput("request", "was refused by the service behind the front")
    return Unavailable("cannot be reached or failed")
