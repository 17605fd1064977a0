"""A window comes without workers where they do not answer, says why, and has time enough for it."""

from types import SimpleNamespace
from typing import Any

import pytest

from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.app.workers.alone import Alone
from vitrine.app.workers.front import Front
from vitrine.app.workers.messages import Answer, Method
from vitrine.config import load_config
from vitrine.errors import Overloaded, Timeout, Unavailable, VitrineError


class Asking:
    """Workers that fail, or answer."""

    def __init__(self, failure: VitrineError | None) -> None:
        self.failure = failure
        self.waiting = 0
        self.seconds: list[float] = []

    async def ask(self, method: Method, request: bytes, seconds: float, *_: Any) -> Answer:
        self.seconds.append(seconds)
        if self.failure is not None:
            raise self.failure
        return Answer(1, b"by a worker")


def front(asking: Asking) -> Front:
    unused: Any = None
    own = Alone(unused, unused, unused)

    async def recommend(*_: Any) -> pb.RecommendResponse:
        try:
            await own.rank()
        except VitrineError as error:
            return pb.RecommendResponse(request_id=f"{type(error).__name__}: {error}")

    servicer: Any = SimpleNamespace(Recommend=recommend)
    workers: Any = asking
    return Front(workers, own, servicer, load_config)


@pytest.mark.parametrize(
    "failure", [Overloaded("too much waits", 0.5), Unavailable("none is there"), Timeout("too late")]
)
async def test_a_window_comes_without_workers_and_says_why(failure: VitrineError) -> None:
    context: Any = SimpleNamespace(time_remaining=lambda: 1.0)
    made = await front(Asking(failure)).recommend((b"", pb.RecommendRequest(scene="home")), context)
    assert pb.RecommendResponse.FromString(made).request_id == f"{type(failure).__name__}: {failure}"


@pytest.mark.parametrize("left", [1.0, None])
async def test_a_fifth_of_the_time_is_kept_back_for_that(left: float | None) -> None:
    context: Any = SimpleNamespace(time_remaining=lambda: left)
    asking = Asking(None)
    assert await front(asking).recommend((b"", pb.RecommendRequest(scene="home")), context) == b"by a worker"
    whole = left or load_config().recommendation.default_deadline_ms / 1000
    assert whole * 0.75 < asking.seconds[0] <= whole * 0.8
    # And more where many wait, who may all need one at once; but no more than half.
    for waiting in (150 * whole, 1000):
        asking.waiting = int(waiting)
        await front(asking).recommend((b"", pb.RecommendRequest(scene="home")), context)
    assert whole * 0.65 < asking.seconds[1] <= whole * 0.7
    assert whole * 0.45 < asking.seconds[2] <= whole * 0.5


async def test_only_windows_are_made_without_workers() -> None:
    context: Any = SimpleNamespace(time_remaining=lambda: None)
    with pytest.raises(Overloaded):
        await front(Asking(Overloaded("too much waits", 0.5))).handing(Method.RANK)(b"", context)
