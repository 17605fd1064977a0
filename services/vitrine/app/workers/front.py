"""The calls that an owner hands to its workers: bytes in, bytes out, and the profile read here for those who need one."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeAlias

import grpc

from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.app.workers.messages import Answer, Given, Method
from vitrine.app.workers.plugins import merged_plugins
from vitrine.app.workers.pool import Pool
from vitrine.app.workers.profiles import pack
from vitrine.config import Config
from vitrine.domain.answer import DegradationCode
from vitrine.domain.profile import Profile
from vitrine.domain.stages import current_spent
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput, NotReady, Timeout, Unavailable, VitrineError
from vitrine.profile import Profiles
from vitrine.recommendation.service import RecommendationServicer
from vitrine.rpc.guard import Forwarded
from vitrine.rpc.status import from_serialised
from vitrine.wire.events import subject_from_proto
from vitrine.wire.tokens import WATERMARK, decode_token

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Asked: TypeAlias = "pb.RecommendRequest | pb.ExplainRequest"

# Kept back of a call's time for an answer without workers, when theirs does not come.
RESERVE_SECONDS = 0.02
_LIST_SECONDS = 2.0
_CODES: dict[type[VitrineError], DegradationCode] = {
    Timeout: DegradationCode.TIMEOUT,
    NotReady: DegradationCode.STALE,
}


class Front:
    """Hands calls on.

    Args:
        pool: The workers.
        profiles: Where profiles are read.
        threads: Where those are read that are not in memory.
        config: The configuration of now.
        alone: Makes windows without workers: without models, and saying so.
    """

    def __init__(
        self,
        pool: Pool,
        profiles: Profiles,
        threads: Executor,
        config: Callable[[], Config],
        alone: RecommendationServicer,
    ) -> None:
        self._pool = pool
        self._profiles = profiles
        self._threads = threads
        self._config = config
        self._alone = alone

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
        answers = await self._pool.ask_all(Method.LIST_RANKERS, request, seconds)
        if not answers:
            raise Unavailable("no worker is there to answer; they are being started again")
        parsed = [ranking_pb2.ListRankersResponse.FromString(answer.data) for answer in answers]
        return bytes(merged_plugins(parsed).SerializeToString())

    def handing(self, method: Method) -> Callable[[bytes, Context], Any]:
        """What hands on the calls of a method as they are."""

        async def call(request: bytes, context: Context) -> bytes:
            return _data(await self._pool.ask(method, request, context.time_remaining()))

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
            seconds = left - min(RESERVE_SECONDS, 0.1 * left)
            answer = await self._pool.ask(method, request, seconds, given, began)
        except (Unavailable, Timeout):
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
            return Given(pack(await self._profile(subject, watermark, seconds)))
        except NotReady:
            problem = int(DegradationCode.STALE)
        except VitrineError as error:
            return Given(None, int(_CODES.get(type(error), DegradationCode.UNAVAILABLE)))
        try:
            # An older profile is better than none.
            return Given(pack(await self._profile(subject, 0, seconds)), problem)
        except VitrineError:
            return Given(None, problem)

    async def _profile(self, subject: Subject, watermark: int, seconds: float) -> Profile:
        found = self._profiles.peek(subject, watermark)
        if found is not None:
            return found
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, self._profiles.get, subject, watermark
        )
        try:
            return await asyncio.wait_for(work, seconds)
        except TimeoutError:
            raise Timeout("did not answer in its share of the deadline") from None


def _data(answer: Answer) -> bytes:
    if answer.code:
        raise Forwarded(answer.code, from_serialised(answer.data))
    return answer.data
