"""Are the answers that are about to be timed the ones that are meant? An empty list is fast, too."""

import time
from pathlib import Path
from typing import Any

import grpc

from tests.load.messages import read
from tests.load.traffic import WINDOW
from vitrine.api.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2, recommendation_pb2_grpc

_CALLS = 20
_PATIENCE = 30.0


def verify(address: str, folder: Path) -> None:
    """Calls the methods a few times with what ghz will send: the files of `Traffic.reads` in a folder.

    A server that has just begun may leave out a ranker that was late; it is asked again until it does not.

    Raises:
        RuntimeError: An answer is not what it should be, still after half a minute.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return _verify(address, folder)
        except RuntimeError:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _verify(address: str, folder: Path) -> None:
    with grpc.insecure_channel(address) as channel:
        front: Any = recommendation_pb2_grpc.RecommendationServiceStub(channel)
        for request in read(folder / "recommend.bin", recommendation_pb2.RecommendRequest, _CALLS):
            answer = front.Recommend(request, timeout=10)
            _expect("Recommend", len(answer.items), *answer.degraded)
        ranking: Any = ranking_pb2_grpc.RankingServiceStub(channel)
        for ask in read(folder / "rank.bin", ranking_pb2.RankRequest, _CALLS):
            ranked = ranking.Rank(ask, timeout=10)
            _expect("Rank", len(ranked.lists[0].positions), *ranked.degraded)


def _expect(method: str, got: int, *missing: Any) -> None:
    if got != WINDOW:
        raise RuntimeError(f"{method} answered {got} items instead of {WINDOW}")
    if missing:
        raise RuntimeError(f"{method} answered without {missing[0].component}")
