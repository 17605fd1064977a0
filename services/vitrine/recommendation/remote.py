"""The services in other processes, through their stubs."""

from collections.abc import Awaitable
from typing import TypeVar

import grpc

from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc
from vitrine.domain.candidates import Ranked, Retrieved
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput, NotReady, Timeout, Unavailable, VitrineError
from vitrine.ranking.query import RankingQuery
from vitrine.retrieval import RetrievalQuery
from vitrine.wire.candidates import retrieved_from_proto
from vitrine.wire.events import subject_to_proto
from vitrine.wire.profiles import profile_from_proto
from vitrine.wire.ranking import ranked_from_proto, ranking_query_to_proto
from vitrine.wire.retrieval import retrieval_query_to_proto
from vitrine.wire.tokens import REVISION, WATERMARK, encode_token

T = TypeVar("T")

# What is left of a stage's time when the call is sent: the answer has to travel too.
MARGIN_SECONDS = 0.001


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
        return profile_from_proto(response.profile)


class RemoteRetrieval:
    """Follows `RetrievalPort`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = retrieval_pb2_grpc.RetrievalServiceStub(channel)

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        """Finds candidates."""
        request = retrieval_query_to_proto(query)
        return retrieved_from_proto(
            await _answer(self._stub.Retrieve(request, timeout=timeout - MARGIN_SECONDS))
        )


class RemoteRanking:
    """Follows `RankingPort`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = ranking_pb2_grpc.RankingServiceStub(channel)

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        """Orders candidates."""
        request = ranking_query_to_proto(query, encode_token(REVISION, catalog_revision))
        return ranked_from_proto(await _answer(self._stub.Rank(request, timeout=timeout - MARGIN_SECONDS)))


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
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return InvalidInput("request", "was refused by the service behind the front")
    return Unavailable("cannot be reached or failed")
