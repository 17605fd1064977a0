"""Sources, each by itself: by popularity, by company, by text."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.retrieval.small_shop import NOW, Shop, bundle_for, columns, history
from vitrine.domain.answer import DegradationCode
from vitrine.domain.profile import DAY, RecentEvents
from vitrine.domain.request import Context, Filters


def test_popular_and_trending(shop: Shop) -> None:
    shop.buy(i3=3, i4=1, i9=8)
    assert columns(shop.ask("popular"), "popular") == pytest.approx({"i3": 3 / 8, "i4": 1 / 8})
    assert list(columns(shop.ask("trending"), "trending")) == ["i3", "i4"]


def test_co_visitation_starts_from_the_context_or_else_from_the_history(shop: Shop) -> None:
    found = columns(shop.ask("co_visitation", context=Context(item_ids=("i0", "gone"))), "co_visitation")
    assert found == pytest.approx({"i1": 0.9, "i2": 0.5})
    found = columns(shop.ask("co_visitation", context=Context(basket=("i1", "i0"))), "co_visitation")
    assert list(found) == ["i1", "i3", "i2"], "i9 is out of stock"
    found = columns(shop.ask("co_visitation", profile=history("i0", "i4", age=1)), "co_visitation")
    assert list(found) == ["i2", "i1"]
    found = columns(shop.ask("co_visitation", profile=history("i0", "i4", opinion=[0, -1])), "co_visitation")
    assert list(found) == ["i1", "i2"], "a hidden item is no seed"


def test_bought_again_by_count_recency_and_demand(shop: Shop) -> None:
    profile = history("i1", "gone", "i2", "i3", "i9", "i5", purchases=[3, 9, 1, 1, 4, 0], age=10)
    found = columns(shop.ask("bought_again", profile=profile), "bought_again")
    assert found == pytest.approx(
        {"i1": 0.3 / (1 + 60 / 180), "i3": 0.1 / (1 + 30 / 180), "i2": 0.1 / (1 + 40 / 180)}
    )
    shop.buy(i2=2, i1=1)
    found = columns(shop.ask("bought_again", profile=profile), "bought_again")
    assert found == pytest.approx(
        {"i1": 1.8 / (1 + 60 / 180), "i2": 1.1 / (1 + 40 / 180), "i3": 0.1 / (1 + 30 / 180)}
    )
    profile = history("i1", "i2", purchases=[1, 1], opinion=[-1, 0], age=4000)
    assert list(columns(shop.ask("bought_again", profile=profile), "bought_again")) == ["i2"]


def test_content_resembles_seeds_or_query(shop: Shop) -> None:
    found = columns(shop.ask("content", context=Context(item_ids=("i4",))), "content")
    assert set(found) == {"i0", "i2", "i4", "i6", "i8"}
    assert next(iter(found)) == "i4"
    assert set(columns(shop.ask("content", 4, profile=history("i3", "i5")), "content")) == {
        "i1",
        "i3",
        "i5",
        "i7",
    }
    assert set(columns(shop.ask("content", 4, context=Context(query="blue")), "content")) == {
        "i1",
        "i3",
        "i5",
        "i7",
    }


def test_search(shop: Shop) -> None:
    assert set(columns(shop.ask("search", 9, context=Context(query="Blue MUGS")), "search")) == {
        "i1",
        "i3",
        "i5",
        "i7",
    }
    nothing = shop.ask("search", context=Context(query="👍"))
    assert len(nothing.candidates) == 0
    assert [(d.component, d.code) for d in nothing.degraded] == [("source:search", DegradationCode.EMPTY)]
    assert nothing.degraded[0].message.startswith("no item matches context.query; ")


def test_linear_answers_what_the_history_predicts(shop: Shop) -> None:
    found = columns(shop.ask("linear", context=Context(item_ids=("i2", "gone"))), "linear")
    assert found == pytest.approx({"i4": 1.2, "i0": 1.0})
    found = columns(shop.ask("linear", profile=history("i2", "i3", opinion=[0, 0])), "linear")
    assert set(found) == {"i0", "i1", "i4"}
    assert columns(shop.ask("linear", profile=history("i5")), "linear") == {}, "i5 predicts nothing"
    shop.bundle = bundle_for(shop.catalog, co_visitation=False)
    off = shop.ask("linear", profile=history("i2"))
    assert ("source:linear", DegradationCode.OFF) in [(d.component, d.code) for d in off.degraded]


def test_interest_ranks_by_the_product_and_the_context_counts_as_latest(shop: Shop) -> None:
    shop.bundle = bundle_for(shop.catalog, interest=1.0)
    even = columns(shop.ask("interest", 50, context=Context(item_ids=("i4",))), "interest")
    assert list(even) == ["i0", "i2", "i4", "i6", "i8"]
    assert np.all(np.diff(list(even.values())) < 0)
    assert max(even.values()) == 1
    odd = columns(shop.ask("interest", 50, context=Context(basket=("i1",))), "interest")
    assert list(odd) == ["i1", "i3", "i5", "i7"], "i9 is newer than the model"
    assert not shop.ask("interest").candidates.item_ids or shop.ask("interest").degraded
    # Logits below zero still order, the least bad first.
    shop.bundle = bundle_for(shop.catalog, interest=-1.0)
    assert list(columns(shop.ask("interest", 50, context=Context(basket=("i1",))), "interest")) == [
        "i7",
        "i5",
        "i3",
        "i1",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "popular",
        "trending",
        "co_visitation",
        "bought_again",
        "interest",
        "content",
        "new_arrivals",
        "search",
        "follows",
        "visits",
        "seen_again",
        "linear",
    ],
)
def test_every_source_keeps_to_filters_hidden_items_and_limit(shop: Shop, source: str) -> None:
    shop.bundle = bundle_for(shop.catalog, interest=1.0)
    shop.buy(**{f"i{k}": k + 1 for k in range(10)})
    profile = replace(
        history(
            "i0", "i1", "i2", "i3", "i7", "i9", purchases=[1, 1, 1, 1, 1, 1], opinion=[0, 0, 0, -1, 0, 0]
        ),
        recent=RecentEvents(("i0", "i3"), np.array([6, 6], np.int8), np.array([NOW - DAY, NOW - 60])),
    )
    context = Context(query="mug") if source == "search" else Context()
    everything = set(columns(shop.ask(source, 50, profile=profile, context=context), source))
    assert everything
    assert not everything & {"i3", "i9"}
    for filters in (
        Filters(exclude=("i2", "i1")),
        Filters(brands=("b1",)),
        Filters(categories=("Home > c2",)),
    ):
        found = shop.ask(source, 50, profile=profile, context=context, filters=filters)
        allowed = {shop.catalog.ids[r] for r in np.flatnonzero(shop.catalog.allowed(filters))} - {"i3"}
        if everything & allowed:
            assert set(columns(found, source)) <= allowed
            assert set(columns(found, source)) >= everything & allowed
    assert len(columns(shop.ask(source, 1, profile=profile, context=context), source)) == 1
