"""Values of columns read as a person would say them."""

import math

import pytest

from vitrine.features import ALWAYS, component_columns
from vitrine.ranking.wording import column_text, group_text, reading


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("history.purchases", math.log1p(4), "4 times"),
        ("history.views", math.log1p(1), "1 time"),
        ("history.purchase_age_days", math.log1p(12), "12 days"),
        ("history.age_days", math.log1p(0.25), "6 hours"),
        ("history.purchase_age_gaps", math.log1p(1.5), "1.5 gaps"),
        ("history.long_rank", 0.0, "place 1"),
        ("history.long_share", 0.34, "34%"),
        ("history.in_cart", 1.0, "yes"),
        ("history.liked", -1.0, "no"),
        ("history.rating", 4.0, "4 stars"),
        ("item.popularity_rank", math.log1p(18), "place 19"),
        ("item.popularity", 0.5, "50%"),
        ("item.price", 1.0, "×2"),
        ("item.found_by", 3.0, "3 sources"),
        ("sequence.since", math.log1p(3), "3 steps"),
        ("sequence.visit_repeats", 0.4, "40%"),
        ("relation.content_share", 0.25, "25%"),
        ("relation.content_max", 0.25, "0.25"),
        ("ranker:cf.share", 0.62, "62%"),
        ("source:popular.rank", math.log1p(9), "place 10"),
        ("cf", 0.123456, "0.123"),
        ("cf", math.nan, "not known"),
        ("plugin:season.peak_days", 30.0, "30"),
        ("plugin:season.share", math.nan, "not known"),
    ],
)
def test_a_value_in_words(name: str, value: float, said: str) -> None:
    assert reading(name, value) == said


@pytest.mark.parametrize("value", [0.0, -3.0, 1e30, -1e30, math.inf, -math.inf])
def test_every_column_has_words_whatever_its_value(value: float) -> None:
    for name in (*ALWAYS, *component_columns(["ranker:cf", "source:popular"]), "cf", "source:popular"):
        assert reading(name, value)
        group, text = column_text(name)
        assert text
        assert group_text(group)


def test_a_ranker_of_somebody_else_has_its_name() -> None:
    assert column_text("cheapest") == ("cheapest", "the score of ranker 'cheapest'")
    assert group_text("cheapest") == "what plugin 'cheapest' says of it"
    assert column_text("source:trending")[0] == "trend"


def test_a_column_of_a_plugin_has_the_words_of_its_author_where_the_bundle_has_them() -> None:
    name = "plugin:season.fits"
    assert column_text(name) == ("season", "what plugin 'season' calls fits")
    assert column_text(name, {name: "how well it fits the season"}) == (
        "season",
        "how well it fits the season",
    )
