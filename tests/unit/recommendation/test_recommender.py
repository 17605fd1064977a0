"""The front, with services beside it that answer what they are told to."""

import pytest

from vitrine.config import load_config
from vitrine.domain.answer import DegradationCode, Versions
from vitrine.domain.candidates import Candidates, Ranked, Retrieved
from vitrine.domain.explanation import Explained, Explanation
from vitrine.domain.profile import Profile
from vitrine.domain.request import Filters
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.ranking import RankingQuery
from vitrine.recommendation.ports import Ports
from vitrine.recommendation.query import WindowQuery
from vitrine.recommendation.recommender import Recommender
from vitrine.retrieval import RetrievalQuery
from vitrine.rpc.metrics import Metrics


class Services:
    """Retrieval has one bundle, ranking perhaps another."""

    def __init__(self, retrieval: str, ranking: str) -> None:
        self._retrieval, self._ranking = Versions(bundle=retrieval), Versions(bundle=ranking)

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        return Profile(subject=subject)

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        return Retrieved(Candidates.of_items(["i1"]), 1, self._retrieval)

    async def rank(self, query: RankingQuery, catalog_revision: int, timeout: float) -> Ranked:
        raise NotImplementedError

    async def explain(
        self, query: RankingQuery, item_id: str, filters: Filters, catalog_revision: int, timeout: float
    ) -> Explained:
        return Explained(Explanation(item_id, 1, 1, 1), self._ranking)


@pytest.mark.parametrize(
    ("retrieval", "ranking", "mixed"),
    [("a", "b", True), ("a", "a", False), ("a", "", False), ("", "b", False)],
)
async def test_an_explanation_of_two_bundles_says_so(retrieval: str, ranking: str, mixed: bool) -> None:
    services = Services(retrieval, ranking)
    front = Recommender(Ports(services, services, services), load_config, lambda: 1e9, Metrics())
    answer = await front.explain(WindowQuery(None, "home"), "i1", 5.0)
    named = [(d.component, d.code) for d in answer.degraded]
    assert named == ([("bundle", DegradationCode.STALE)] if mixed else [])


class Choosy(Services):
    """Retrieval refuses profiles that know something: of another version of Vitrine, say."""

    def __init__(self) -> None:
        super().__init__("a", "a")
        self.asked: list[int] = []

    async def get(self, subject: Subject, min_watermark: int, timeout: float) -> Profile:
        return Profile(subject=subject, version=7)

    async def retrieve(self, query: RetrievalQuery, timeout: float) -> Retrieved:
        self.asked.append(query.profile.version)
        if query.profile.version:
            raise InvalidInput("profile.items", "has columns of different lengths")
        return await super().retrieve(query, timeout)


async def test_a_profile_that_retrieval_refuses_costs_what_is_known_and_not_the_window() -> None:
    services = Choosy()
    front = Recommender(Ports(services, services, services), load_config, lambda: 1e9, Metrics())
    answer = await front.recommend(WindowQuery(Subject("ann"), "home"), 5.0)
    assert [i.item_id for i in answer.items] == ["i1"]
    assert services.asked == [7, 0]
    told = {d.component: d.code for d in answer.degraded}
    assert told["retrieval"] is DegradationCode.FAILED
