"""The calls that an owner hands to its workers: bytes in, bytes out, and the profile read here for those who need one."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import grpc

from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.app.workers.alone import Alone, because
from vitrine.app.workers.asking import Asking
from vitrine.app.workers.messages import Answer, Given, Method
from vitrine.app.workers.plugins import merged_plugins
from vitrine.config import Config
from vitrine.domain.answer import DegradationCode
from vitrine.domain.stages import current_spent
from vitrine.errors import InvalidInput, NotReady, Overloaded, Timeout, Unavailable, VitrineError
from vitrine.hosting.process.profiles import pack
from vitrine.recommendation.service import RecommendationServicer
from vitrine.rpc.guard import Forwarded
from vitrine.rpc.status import from_serialised
from vitrine.wire.events import subject_from_proto
from vitrine.wire.tokens import WATERMARK, decode_token

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Asked: TypeAlias = "pb.RecommendRequest | pb.ExplainRequest"

# How much of a call's time is kept back for an answer without workers, when theirs does not come: a share of it and, as
# all who wait with it may need one by then, so long for each of them, but never more than the largest share.
RESERVE_SHARE, ALONE_SECONDS, MOST_SHARE = 0.2, 0.002, 0.5
_LIST_SECONDS = 2.0
_CODES: dict[type[VitrineError], DegradationCode] = {
    Timeout: DegradationCode.TIMEOUT,
    NotReady: DegradationCode.STALE,
}


class Front:
    """Hands calls on.

    Args:
        asking: The workers.
        own: Reads profiles.
        alone: Makes windows without workers: without models, and saying so.
        config: The configuration of now.
    """

    def __init__(
        self,
        asking: Asking,
        own: Alone,
        alone: RecommendationServicer,
        config: Callable[[], Config],
    ) -> None:
        self._asking = asking
        self._own = own
        self._alone = alone
        self._config = config

    async def recommend(self, request: tuple[bytes, pb.RecommendRequest], context: Context) -> bytes:
        """`Recommend`: by a worker or, where none answers, here."""
        return await self._window(Method.RECOMMEND, *request, context)

    async def explain(self, request: tuple[bytes, pb.ExplainRequest], context: Context) -> bytes:
        """`Explain` of a window, likewise."""
        return await self._window(Method.EXPLAIN_WINDOW, *request, context)

    async def list_rankers(self, request: bytes, context: Context) -> bytes:
        """The plugins of all workers."""
        left: float | None = context.time_remaining()
        seconds = _LIST_SECONDS if left is None else min(left, _LIST_SECONDS)
        answers = await self._asking.ask_all(Method.LIST_RANKERS, request, seconds)
        if not answers:
            raise Unavailable("no worker is there to answer; they are being started again")
        parsed = [ranking_pb2.ListRankersResponse.FromString(answer.data) for answer in answers]
        return bytes(merged_plugins(parsed).SerializeToString())

    def handing(self, method: Method) -> Callable[[bytes, Context], Any]:
        """What hands on the calls of a method as they are."""

        async def call(request: bytes, context: Context) -> bytes:
            return _data(await self._asking.ask(method, request, context.time_remaining()))

        return call

    async def _window(self, method: Method, request: bytes, message: Asked, context: Context) -> bytes:
        settings = self._config().recommendation
        told: float | None = context.time_remaining()
        until = time.monotonic() + (settings.default_deadline_ms / 1000 if told is None else told)
        spent = current_spent.get()
        began = 0.0 if spent is None else spent.began
        given = await self._given(message, (until - time.monotonic()) * settings.profile_share)
        try:
            left = until - time.monotonic()
            reserve = max(RESERVE_SHARE * left, ALONE_SECONDS * self._asking.waiting)
            seconds = left - min(reserve, MOST_SHARE * left)
            answer = await self._asking.ask(method, request, seconds, given, began)
        except (Overloaded, Unavailable, Timeout) as error:
            because(error)
            behaviour = self._alone.Recommend if method is Method.RECOMMEND else self._alone.Explain
            return bytes((await behaviour(message, context)).SerializeToString())  # type: ignore[arg-type]
        # The worker has counted where the time went.
        current_spent.set(None)
        return _data(answer)

    async def _given(self, message: Asked, seconds: float) -> Given:
        """The profile, or what is wrong; a request that is not valid is refused by the worker."""
        if not message.HasField("subject"):
            return Given()
        try:
            subject = subject_from_proto(message.subject, "subject")
            watermark = decode_token(WATERMARK, message.min_watermark, "min_watermark")
        except InvalidInput:
            return Given()
        try:
            return Given(pack(await self._own.get(subject, watermark, seconds)))
        except NotReady:
            problem = int(DegradationCode.STALE)
        except VitrineError as error:
            return Given(None, int(_CODES.get(type(error), DegradationCode.UNAVAILABLE)))
        try:
            # An older profile is better than none.
            return Given(pack(await self._own.get(subject, 0, seconds)), problem)
        except VitrineError:
            return Given(None, problem)


def _data(answer: Answer) -> bytes:
    if answer.code:
        raise Forwarded(answer.code, from_serialised(answer.data))
    return answer.data
