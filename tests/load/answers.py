"""Are the answers that are about to be timed the ones that are meant? An empty list is fast, too."""

from typing import Any

import grpc

from tests.load.messages import read
from tests.load.traffic import EVENTS_PER_CALL, FOLDER, WINDOW, Traffic
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2, recommendation_pb2_grpc

_CALLS = 20


def verify(address: str, traffic: Traffic, nonce: str) -> None:
    """Calls the methods a few times with what ghz will send.

    Raises:
        RuntimeError: An answer is not what it should be.
    """
    with grpc.insecure_channel(address) as channel:
        front: Any = recommendation_pb2_grpc.RecommendationServiceStub(channel)
        for request in read(FOLDER / "recommend.bin", recommendation_pb2.RecommendRequest, _CALLS):
            _expect("Recommend", len(front.Recommend(request, timeout=10).items), WINDOW)
        ranking: Any = ranking_pb2_grpc.RankingServiceStub(channel)
        for ask in read(FOLDER / "rank.bin", ranking_pb2.RankRequest, _CALLS):
            _expect("Rank", len(ranking.Rank(ask, timeout=10).lists[0].positions), WINDOW)
        profile: Any = profile_pb2_grpc.ProfileServiceStub(channel)
        file = FOLDER / "record_events.check.bin"
        traffic.events(file, 1, f"{nonce}-check")
        for batch in read(file, profile_pb2.RecordEventsRequest, 1):
            verdicts = profile.RecordEvents(batch, timeout=10).verdicts
            wrong = [
                f"{v.field}: {v.message}" for v in verdicts if v.status != profile_pb2.EVENT_STATUS_ACCEPTED
            ]
            _expect("RecordEvents", len(verdicts) - len(wrong), EVENTS_PER_CALL, *wrong[:1])


def _expect(method: str, got: int, wanted: int, *why: str) -> None:
    if got != wanted:
        raise RuntimeError(
            f"{method} answered {got} good entries instead of {wanted}" + "".join(f" ({w})" for w in why)
        )
