"""What retrieval has read of a shopper's interests goes on to ranking, which also does without: peers may be older."""

from typing import Any

import numpy as np
import pytest

from tests.support.world import World
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2, retrieval_pb2_grpc
from vitrine.client import Vitrine


@pytest.fixture
def profile(shop: Vitrine, world: World) -> profile_pb2.Profile:
    stub: Any = profile_pb2_grpc.ProfileServiceStub(shop._channel)
    who = common_pb2.Subject(user_id=world.shoppers(40)[-1])
    found: profile_pb2.Profile = stub.GetProfile(profile_pb2.GetProfileRequest(subject=who)).profile
    assert found.event_count
    return found


def _retrieved(shop: Vitrine, profile: profile_pb2.Profile, *, asked: bool) -> retrieval_pb2.RetrieveResponse:
    stub: Any = retrieval_pb2_grpc.RetrievalServiceStub(shop._channel)
    found: retrieval_pb2.RetrieveResponse = stub.Retrieve(
        retrieval_pb2.RetrieveRequest(profile=profile, scene="home", include_interests=asked), timeout=10
    )
    return found


def _ranked(
    shop: Vitrine,
    profile: profile_pb2.Profile,
    found: retrieval_pb2.RetrieveResponse,
    interests: bytes,
    bundle: str | None = None,
) -> ranking_pb2.RankResponse:
    stub: Any = ranking_pb2_grpc.RankingServiceStub(shop._channel)
    query = ranking_pb2.RankQuery(profile=profile, scene="home", interests=interests)
    told = found.versions.bundle if bundle is None else bundle
    ranked: ranking_pb2.RankResponse = stub.Rank(
        ranking_pb2.RankRequest(queries=[query], candidates=found.candidates, bundle_version=told), timeout=10
    )
    assert not ranked.degraded
    return ranked


def _says(ranked: ranking_pb2.RankResponse) -> list[float]:
    """What the ranker says of each item that reads interests, best first."""
    one = ranked.lists[0]
    scores = np.frombuffer(one.component_scores, "<f4").reshape(len(one.positions), -1)
    told: list[float] = scores[:, list(ranked.score_names).index("interest")].tolist()
    return told


def test_an_older_front_gets_no_interests_and_an_older_retrieval_tells_none(
    shop: Vitrine, profile: profile_pb2.Profile
) -> None:
    assert not _retrieved(shop, profile, asked=False).interests
    found = _retrieved(shop, profile, asked=True)
    vectors = np.frombuffer(found.interests, "<f4")
    assert len(vectors) % 3 == 0
    assert np.abs(vectors).max() > 0
    handed_on, read_again = (_ranked(shop, profile, found, told) for told in (found.interests, b""))
    assert handed_on.lists == read_again.lists


def test_interests_are_not_read_again_where_they_are_handed_on(
    shop: Vitrine, profile: profile_pb2.Profile
) -> None:
    found = _retrieved(shop, profile, asked=True)
    right = _says(_ranked(shop, profile, found, found.interests))
    none = _says(_ranked(shop, profile, found, bytes(len(found.interests))))
    assert max(right) > min(right)
    assert np.isnan(none).all()  # nothing to say of whom nothing is known


@pytest.mark.parametrize(("bundle", "size"), [("another", 1.0), ("", 1.0), (None, 0.5)])
def test_interests_of_another_bundle_are_read_again(
    shop: Vitrine, profile: profile_pb2.Profile, bundle: str | None, size: float
) -> None:
    found = _retrieved(shop, profile, asked=True)
    wrong = bytes(int(len(found.interests) * size))
    ranked = _ranked(shop, profile, found, wrong, bundle)
    assert ranked.lists == _ranked(shop, profile, found, b"").lists


def test_interests_too_large_to_calculate_with_are_read_again(
    shop: Vitrine, profile: profile_pb2.Profile
) -> None:
    found = _retrieved(shop, profile, asked=True)
    right = _ranked(shop, profile, found, b"").lists
    largest = np.full(len(found.interests) // 4, np.finfo(np.float32).max, "<f4")
    for _ in range(6):  # a ranker that fails a few times would be left alone, by everybody's requests
        assert _ranked(shop, profile, found, largest.tobytes()).lists == right
