"""Sources that are off, fail or find nothing: what stands in, and what is said of it."""

import pytest

from tests.unit.retrieval.small_shop import NOW, Shop, columns
from vitrine.config import load_config
from vitrine.domain.answer import DegradationCode
from vitrine.domain.items import Item
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.request import Filters
from vitrine.errors import InferenceTimeout
from vitrine.ranking import ShopperQuery
from vitrine.recommendation.fallback import rank_as_found
from vitrine.retrieval.query import RetrievalQuery


def test_what_is_off_is_said(shop: Shop) -> None:
    shop.bundle = None
    shop.buy(i1=1)
    answer = shop.retriever.retrieve(RetrievalQuery(NOW, scene="home"))
    assert {d.component for d in answer.degraded} == {
        "source:co_visitation",
        "source:content",
        "source:interest",
    }
    assert {d.code for d in answer.degraded} == {DegradationCode.OFF}
    assert answer.versions.bundle == ""
    assert answer.catalog_revision == shop.store.revision
    undated = Shop([])
    undated.store.upsert([Item(item_id="i1")], None, 0.0)
    degraded = undated.ask("new_arrivals").degraded
    assert (degraded[0].component, degraded[0].code) == ("source:new_arrivals", DegradationCode.OFF)


def test_a_source_that_fails_is_left_out(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.buy(i1=1)
    retriever = shop.retriever

    def fail(*_: object) -> None:
        raise ValueError("secret")

    retriever._sources["co_visitation"].find = fail  # type: ignore[method-assign, assignment]
    answer = retriever.retrieve(RetrievalQuery(NOW, scene="home"))
    assert "i1" in answer.candidates.item_ids
    assert [(d.component, d.code) for d in answer.degraded] == [
        ("source:co_visitation", DegradationCode.FAILED)
    ]
    assert "secret" not in answer.degraded[0].message
    assert "secret" in caplog.text


def test_a_source_whose_model_is_late_is_left_out_and_said_to_be(shop: Shop) -> None:
    shop.buy(i1=1)

    def late(*_: object) -> None:
        raise InferenceTimeout("the model did not answer within its time budget")

    retriever = shop.retriever
    retriever._sources["interest"].find = late  # type: ignore[method-assign, assignment]
    answer = retriever.retrieve(RetrievalQuery(NOW, sources={"popular": 5, "interest": 5}))
    assert answer.candidates.item_ids == ["i1"]
    assert [(d.component, d.code) for d in answer.degraded] == [("source:interest", DegradationCode.TIMEOUT)]


def test_somebody_always_stands_in(shop: Shop) -> None:
    newest = shop.ask("bought_again")
    assert newest.candidates.item_ids == [f"i{k}" for k in range(9)]
    assert newest.candidates.source_names == ("bought_again", "newest")
    shop.buy(i4=1)
    popular = shop.ask("bought_again")
    assert list(columns(popular, "popular")) == ["i4"]
    assert [(d.component, d.code) for d in popular.degraded] == [("retrieval", DegradationCode.EMPTY)]
    nothing = shop.ask("popular", filters=Filters(brands=("nobody",)))
    assert len(nothing.candidates) == 0
    assert "filters" in nothing.degraded[-1].message


def test_the_newest_that_stand_in_are_not_called_new() -> None:
    """They may have come in years ago: without ranking nobody knows."""
    shop = Shop()
    found = shop.retriever.retrieve(RetrievalQuery(NOW + 1000 * DAY, scene="home"))
    assert len(found.candidates)
    asked = ShopperQuery(Profile(), "home")
    ranked = rank_as_found(asked, load_config().scenes["home"], found, NOW + 1000 * DAY, lambda _: True)
    assert {reason.code for reason in ranked.lists[0].reasons} == {None}


def test_an_empty_catalogue_says_what_to_do() -> None:
    answer = Shop([]).retriever.retrieve(RetrievalQuery(NOW, scene="home"))
    assert len(answer.candidates) == 0
    assert answer.degraded[0].component == "catalog"
    assert "`vitrine load`" in answer.degraded[0].message
