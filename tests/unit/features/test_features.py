"""Feature columns: worked out by hand, the same alone and in a batch, and scale-free."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.shop import make_catalog
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import DAY, Counters, ItemHistory, Profile
from vitrine.domain.request import Context
from vitrine.features import (
    ALWAYS,
    Features,
    column,
    component_columns,
    contributed_name,
    keys_of,
    names_of,
    problem,
)
from vitrine.features import features as features_module
from vitrine.features.scale import places
from vitrine.plugin import Batch, Scores
from vitrine.ranking import RankingQuery, ShopperQuery
from vitrine.ranking.batch import make_batch

NOW = 1000 * DAY
CATALOG = make_catalog(12)
NAN = np.nan


def counters(**interest: float) -> Counters:
    n = len(interest)
    values = np.array(list(interest.values()))
    return Counters(tuple(interest), np.ones(n), values, values / 2, np.full(n, NOW))


def regular() -> Profile:
    """Bought i1 on four days and i5 on one, the last one ten days ago; looked at i2 yesterday."""
    items = ItemHistory(
        item_ids=("i5", "i1", "i2"),
        last_time=np.array([NOW - 40 * DAY, NOW - 10 * DAY, NOW - DAY]),
        last_purchase=np.array([NOW - 40 * DAY, NOW - 10 * DAY, 0.0]),
        views=np.array([0.0, 1.0, 3.0]),
        in_cart=np.array([0.0, 0.0, 2.0]),
        purchases=np.array([1.0, 4.0, 0.0]),
        quantity=np.array([2.0, 4.0, 0.0]),
        long_term=np.array([2.0, 8.0, 1.0]),
        short_term=np.array([2.0, 2.0, 1.0]),
        rating=np.array([NAN, 5.0, NAN], np.float32),
        opinion=np.array([0, 1, 0], np.int8),
    )
    return Profile(
        version=9,
        event_count=9,
        first_time=NOW - 50 * DAY,
        last_time=NOW - DAY,
        purchase_days=5,
        items=items,
        categories=replace(
            counters(a=4.0, b=1.0, c=2.0), keys=("Things", "Things > Kind 1", "Things > Kind 2")
        ),
        brands=counters(b1=3.0, b2=1.0),
        price_bands=replace(counters(x=1.0), keys=("2",)),
    )


def batch_of(
    lists: Sequence[Sequence[str]],
    profiles: Sequence[Profile],
    scores: Mapping[str, Scores] | None = None,
    contexts: Sequence[Context] | None = None,
) -> Batch:
    ids = [i for one in lists for i in one]
    n = len(ids)
    found = np.linspace(1, 0.1, n, dtype=np.float32)[:, None] * np.array([[1.0, NAN]], np.float32)
    candidates = Candidates(
        ids,
        ("popular", "trending"),
        np.ones(n, np.uint32),
        found.astype(np.float32),
        popularity=np.array([int(i[1:]) / 10 for i in ids], np.float32),
        trend=np.zeros(n, np.float32),
    )
    offsets = np.cumsum([0, *(len(one) for one in lists)]).astype(np.int64)
    chosen = contexts or [Context()] * len(lists)
    queries = tuple(ShopperQuery(p, "home", c) for p, c in zip(profiles, chosen, strict=True))
    return make_batch(
        RankingQuery(NOW, queries, candidates, offsets), CATALOG, None, {} if scores is None else scores
    )


def test_what_the_shopper_did_with_the_item() -> None:
    batch = batch_of([["i1", "i2", "i7", "i5"]], [regular()])
    got = {name: batch.features.column(name) for name in ALWAYS}
    np.testing.assert_allclose(got["history.purchases"], np.log1p([4, 0, 0, 1]), rtol=1e-6)
    np.testing.assert_allclose(got["history.days_share"], [0.8, 0, 0, 0.2], rtol=1e-6)
    np.testing.assert_allclose(got["history.purchase_age_days"], np.log1p([10, NAN, NAN, 40]), rtol=1e-6)
    np.testing.assert_allclose(got["history.purchase_lag_days"], np.log1p([0, NAN, NAN, 30]), rtol=1e-6)
    # Forty days between the first and the last of five days with a purchase: a gap of ten.
    np.testing.assert_allclose(got["shopper.gap_days"], np.log1p([10] * 4), rtol=1e-6)
    np.testing.assert_allclose(got["history.purchase_age_gaps"], np.log1p([1, NAN, NAN, 4]), rtol=1e-6)
    np.testing.assert_array_equal(got["history.in_cart"], [0, 1, 0, 0])
    np.testing.assert_array_equal(got["history.rating"], [5, NAN, NAN, NAN])
    np.testing.assert_array_equal(got["history.liked"], [1, 0, 0, 0])
    assert got["history.long_share"].tolist()[0] == 1.0
    assert got["history.long_rank"].tolist()[0] == 0.0


def test_how_the_item_fits_the_shopper() -> None:
    # i1 and i5 are of kind 1, i2 of kind 2, i3 of kind 3, which the shopper does not know; i3 costs 4, i1 costs 2.
    batch = batch_of([["i1", "i2", "i3"]], [regular()])
    column32 = batch.features.column
    np.testing.assert_allclose(column32("taste.category"), [0.25, 0.5, 0.0])
    np.testing.assert_allclose(column32("taste.top_category"), [1, 1, 1])
    np.testing.assert_allclose(column32("taste.brand"), [1.0, 1 / 3, 0.0], rtol=1e-6)
    # Band 2 reaches from 2 to 2.83: only i1 costs that.
    np.testing.assert_allclose(column32("taste.price_band"), [1, 0, 0])
    np.testing.assert_allclose(column32("taste.price_gap"), np.log2([2, 3, 4]) - 1.25, rtol=1e-5)
    np.testing.assert_allclose(column32("item.popularity"), [1 / 3, 2 / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(column32("item.popularity_rank"), np.log1p([2, 1, 0]), rtol=1e-6)


def test_of_nobody_nothing_is_known() -> None:
    batch = batch_of([["i1", "i2"]], [Profile()])
    assert batch.features.column("shopper.events").tolist() == [0, 0]
    for name in ("shopper.idle_days", "history.age_days", "taste.category", "taste.price_gap"):
        assert np.isnan(batch.features.column(name)).all(), name
    assert not np.isinf(batch.features.matrix(ALWAYS)).any()


def test_the_basket_is_part_of_the_context() -> None:
    batch = batch_of([["i1"]], [Profile()], contexts=[Context(basket=("i2", "i3"))])
    np.testing.assert_allclose(batch.features.column("context.seeds"), np.log1p([2]), rtol=1e-6)


def test_a_batch_has_the_columns_of_its_queries_one_by_one() -> None:
    lists, profiles = (
        [["i1", "i2", "i7"], ["i5"], [], ["i9", "i1"]],
        [regular(), Profile(), regular(), Profile()],
    )
    scores = np.array([3, 1, 2, 5, NAN, 7], np.float32)
    names = ALWAYS + component_columns(["ranker:cf", "source:popular", "source:trending", "ranker:gone"])
    together = batch_of(lists, profiles, {"cf": scores}).features.matrix(names)
    start = 0
    for one, profile in zip(lists, profiles, strict=True):
        own = slice(start, start + len(one))
        alone = batch_of([one], [profile], {"cf": scores[own]}).features.matrix(names)
        np.testing.assert_allclose(alone[:, : len(ALWAYS)], together[own, : len(ALWAYS)], rtol=1e-6)
        cf = names.index("ranker:cf.share")
        np.testing.assert_allclose(alone[:, cf : cf + 2], together[own, cf : cf + 2], rtol=1e-6)
        start += len(one)
    assert together.flags.c_contiguous
    assert together.dtype == np.float32


def test_scores_of_rankers_are_shares_and_places() -> None:
    batch = batch_of([["i1", "i2", "i3", "i4"]], [Profile()], {"cf": np.array([-1, 3, 1, NAN], np.float32)})
    np.testing.assert_allclose(batch.features.column("ranker:cf.share"), [0, 1, 0.5, NAN])
    np.testing.assert_allclose(batch.features.column("ranker:cf.rank"), np.log1p([2, 0, 1, NAN]), rtol=1e-6)
    assert np.isnan(batch.features.column("ranker:unknown.share")).all()
    assert np.isnan(batch.features.column("source:trending.rank")).all()


def test_a_score_is_made_a_column_once() -> None:
    batch = batch_of([["i1", "i2"]], [Profile()], {"cf": np.array([1, 2], np.float32)})
    for name in ("ranker:cf.share", "source:popular.rank"):
        first = batch.features.column(name)
        assert np.shares_memory(first, batch.features.column(name))
        assert not first.flags.writeable


def test_more_columns_than_there_is_room_for_are_found_as_the_first_ones() -> None:
    batch = batch_of([["i1", "i2"], ["i3"]], [Profile(), regular()])
    first = batch.features.matrix(ALWAYS[:20])
    names = tuple(f"n{place}" for place in range(300))
    given = np.arange(900, dtype=np.float32).reshape(300, 3)
    assert isinstance(batch.features, Features)
    batch.features.put("many", dict(zip(names, given, strict=True)))
    wanted = given.copy()
    given[:] = -1  # its own to use again
    found = batch.features.matrix([contributed_name("many", name) for name in names])
    np.testing.assert_array_equal(found, wanted.T)
    np.testing.assert_array_equal(batch.features.matrix(ALWAYS[:20]), first)
    np.testing.assert_array_equal(batch.features.column("plugin:many.n7"), wanted[7])


def test_columns_are_the_same_in_whatever_order_they_are_asked_for() -> None:
    scores = {"cf": np.array([1, NAN, 2], np.float32)}
    names = ALWAYS + component_columns(["ranker:gone", "ranker:cf", "source:popular"])
    first = batch_of([["i1", "i2", "i3"]], [regular()], scores).features
    other = batch_of([["i1", "i2", "i3"]], [regular()], scores).features
    wanted = first.matrix(names)
    one_by_one = [other.column(name) for name in reversed(names)]
    np.testing.assert_array_equal(np.array(one_by_one[::-1]).T, wanted)
    np.testing.assert_array_equal(other.matrix(names[::-1]), wanted[:, ::-1])
    # The one that is not there stands where it was asked for, and twice where it was asked for twice.
    twice = ("ranker:gone.rank", "item.price", "ranker:gone.rank")
    assert np.isnan(other.matrix(twice)).all(axis=0).tolist() == [True, False, True]


def test_who_asks_while_columns_are_made_finds_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    features, found = batch_of([["i1", "i2", "i3"]], [regular()]).features, list[Scores]()

    def meanwhile(table: Scores, offsets: npt.NDArray[np.int64]) -> Scores:
        """Another thread asks between the shares of a component and its places."""
        if not found:
            found.append(table)
            found[:] = [features.column("source:popular.rank")]
        return places(table, offsets)

    monkeypatch.setattr(features_module, "places", meanwhile)
    wanted = features.column("source:popular.rank")
    assert not np.isnan(wanted).any()
    np.testing.assert_array_equal(found[0], wanted)


def test_a_name_that_is_no_column_stays_unknown() -> None:
    features = batch_of([["i1"]], [regular()]).features
    for name in ("item.colour", "ranker:cf.colour", "nothing"):
        for _ in range(2):
            with pytest.raises(KeyError):
                features.matrix(("item.price", name))


def test_what_was_missing_is_there_once_somebody_brings_it() -> None:
    scores: dict[str, Scores] = {}
    batch = batch_of([["i1", "i2"]], [Profile()], scores)
    names = ("item.price", "ranker:cf.share")
    assert np.isnan(batch.features.matrix(names)[:, 1]).all()
    scores["cf"] = np.array([1, 2], np.float32)
    more = batch.features.matrix((*names, "ranker:cf.rank"))
    np.testing.assert_allclose(more[:, 1:], [[0.5, np.log(2)], [1, 0]], rtol=1e-6)
    # A model that goes on where the one before it ended.
    longer = (*names, "ranker:cf.rank", "shopper.events")
    np.testing.assert_array_equal(batch.features.matrix(longer)[:, :3], more)


def test_a_profile_full_of_nonsense_costs_no_column() -> None:
    """RankingService takes profiles from the wire."""
    who = regular()
    below = replace(who.items, purchases=who.items.purchases - 99, views=who.items.views - 1)
    bands = replace(counters(x=3.0, y=2.0, z=1.0), keys=("2", "two", "9" * 40))
    lists = [["i1", "i2", "i5", "i9"]]
    for odd in (
        replace(who, items=below),
        replace(who, event_count=-5, purchase_days=-3),
        replace(who, price_bands=bands),
    ):
        assert not np.isinf(batch_of(lists, [odd]).features.matrix(ALWAYS)).any()
    known = replace(counters(x=3.0), keys=("2",))
    one, other = (
        batch_of(lists, [replace(who, price_bands=b)]).features.column("taste.price_gap")
        for b in (bands, known)
    )
    np.testing.assert_array_equal(one, other)


def test_a_ranker_that_comes_later_is_seen() -> None:
    scores: dict[str, Scores] = {}
    batch = batch_of([["i1", "i2"]], [Profile()], scores)
    assert np.isnan(batch.features.column("ranker:cf.share")).all()
    scores["cf"] = np.array([1, 2], np.float32)
    np.testing.assert_allclose(batch.features.column("ranker:cf.share"), [0.5, 1])


def test_more_of_the_same_changes_no_share() -> None:
    """A shop ten times as busy has the same shares and places."""
    small = batch_of([["i1", "i2", "i3"]], [Profile()], {"cf": np.array([1, 2, 3], np.float32)})
    large = batch_of([["i1", "i2", "i3"]], [Profile()], {"cf": np.array([10, 20, 30], np.float32)})
    names = component_columns(["ranker:cf"])
    np.testing.assert_array_equal(small.features.matrix(names), large.features.matrix(names))


def test_a_bundle_pins_names_and_versions() -> None:
    names = (*ALWAYS, "ranker:cf.share")
    assert names_of(keys_of(names)) == names
    assert problem(keys_of(names)) == ""
    assert "not known here" in problem(["shopper.shoe_size:f4:1"])
    assert "another version" in problem(["shopper.events:f4:99"])
    with pytest.raises(KeyError):
        column("ranker:cf.colour")


@pytest.mark.parametrize("name", ALWAYS)
def test_every_column_is_told_in_words(name: str) -> None:
    assert column(name).text[0].islower()
    assert column(name).group
