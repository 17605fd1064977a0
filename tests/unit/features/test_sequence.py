"""Columns of what came last and of what goes with what: worked out by hand, and silent where nothing is known."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.small_bundle import ITEMS, encoder, neighbours, write_small_bundle
from vitrine.bundle import AttachedBundle, load_bundle
from vitrine.bundle.hits import between
from vitrine.catalog import Catalog
from vitrine.domain.candidates import Candidates
from vitrine.domain.columns import ALWAYS, ORDERED, TIMED, available
from vitrine.domain.events import EventType
from vitrine.domain.items import Item
from vitrine.domain.profile import ItemHistory, Profile, RecentEvents
from vitrine.domain.request import Context
from vitrine.plugin import Batch
from vitrine.ranking import RankingQuery, ShopperQuery
from vitrine.ranking.batch import make_batch

NOW = 1e9
MINUTE = 60.0
NAN = np.nan
NAMES = tuple(name for name in ALWAYS if name.startswith(("sequence.", "relation.")))
LATE = Item(item_id="late", title="red mug")
SEEN = ("杯", "red", "杯", "late", "red")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    catalog = Catalog(0)
    catalog.apply([*ITEMS, LATE], 1)
    return catalog


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Iterator[AttachedBundle]:
    path = tmp_path_factory.mktemp("sequence") / "bundle"
    write_small_bundle(path)
    bundle = AttachedBundle(load_bundle(path), catalog)
    yield bundle
    bundle.close()


def shopper(seen: Sequence[str], pause_before: int = 0) -> Profile:
    """Looked at items, a minute apart; an hour passed before one of them."""
    n = len(seen)
    times = NOW - MINUTE * np.arange(n, 0, -1, dtype=np.float64)
    times[:pause_before] -= 60 * MINUTE
    known = tuple(dict.fromkeys(seen))
    some, zeros = len(known), np.zeros(len(known))
    return Profile(
        version=n,
        event_count=n,
        first_time=NOW - MINUTE * n,
        last_time=NOW - MINUTE,
        items=ItemHistory(
            known,
            np.full(some, NOW - MINUTE),
            zeros,
            np.ones(some),
            zeros,
            zeros,
            zeros,
            np.ones(some),
            np.ones(some),
            np.full(some, np.nan, np.float32),
            np.zeros(some, np.int8),
        ),
        recent=RecentEvents(tuple(seen), np.full(n, EventType.VIEW, np.int8), times),
    )


def batch_of(
    lists: Sequence[Sequence[str]],
    profiles: Sequence[Profile],
    catalog: Catalog,
    bundle: AttachedBundle | None,
    contexts: Sequence[Context] | None = None,
    source: tuple[str, npt.NDArray[np.float32]] | None = None,
) -> Batch:
    ids = [i for one in lists for i in one]
    n = len(ids)
    name, scores = source or ("popular", np.ones(n, np.float32))
    candidates = Candidates(
        ids,
        (name,),
        np.ones(n, np.uint32),
        scores[:, None],
        popularity=np.ones(n, np.float32),
        trend=np.zeros(n, np.float32),
    )
    offsets = np.cumsum([0, *(len(one) for one in lists)]).astype(np.int64)
    asked = zip(profiles, contexts or [Context()] * len(lists), strict=True)
    queries = tuple(ShopperQuery(profile, "home", context) for profile, context in asked)
    query = RankingQuery(NOW, queries, candidates, offsets)
    return make_batch(query, catalog, bundle, {}, visit_gap=30 * MINUTE)


def test_when_the_candidate_was_last_met_and_how_often(catalog: Catalog, attached: AttachedBundle) -> None:
    column = batch_of(
        [["red", "blue", "杯"]], [shopper(SEEN, pause_before=2)], catalog, attached
    ).features.column
    np.testing.assert_allclose(column("sequence.since"), np.log1p([0, NAN, 2]), rtol=1e-6)
    np.testing.assert_allclose(column("sequence.first"), np.log1p([3, NAN, 4]), rtol=1e-6)
    np.testing.assert_allclose(column("sequence.times"), np.log1p([2, 0, 2]), rtol=1e-6)
    # The visit that goes on is 杯, late, red.
    np.testing.assert_allclose(column("sequence.visit_times"), np.log1p([1, 0, 1]), rtol=1e-6)
    np.testing.assert_allclose(column("sequence.visit_events"), np.log1p([3] * 3), rtol=1e-6)
    np.testing.assert_allclose(column("sequence.visit_share"), [1 / 3, 0, 1 / 3], rtol=1e-6)
    np.testing.assert_array_equal(column("sequence.visit_repeats"), [0] * 3)
    whole = batch_of([["blue"]], [shopper(SEEN)], catalog, attached).features.column
    np.testing.assert_allclose(whole("sequence.visit_repeats"), [0.4], rtol=1e-6)


def test_where_the_shopper_went_right_after_the_latest_item(
    catalog: Catalog, attached: AttachedBundle
) -> None:
    # After red came blue, and once nothing but red again.
    seen = ["red", "blue", "杯", "red", "red"]
    column = batch_of([["red", "blue", "杯"]], [shopper(seen)], catalog, attached).features.column
    np.testing.assert_allclose(column("sequence.after_latest"), [0.5, 0.5, 0])
    never = batch_of([["red"]], [shopper(["red", "blue"])], catalog, attached).features.column
    assert np.isnan(never("sequence.after_latest")).all()


def test_what_like_visits_say_is_told_as_it_is(catalog: Catalog, attached: AttachedBundle) -> None:
    lists, who = [["red", "blue"]], [shopper(["red"])]
    scores = np.array([0.5, NAN], np.float32)
    column = batch_of(lists, who, catalog, attached, source=("visits", scores)).features.column
    np.testing.assert_allclose(column("sequence.visits"), [np.log(0.5), NAN], rtol=1e-6)
    other = batch_of(lists, who, catalog, attached, source=("popular", scores)).features.column
    assert np.isnan(other("sequence.visits")).all()


def test_what_follows_the_latest_items(catalog: Catalog, attached: AttachedBundle) -> None:
    # The latest known items are red, then 杯; the bundle does not know the late one, and each item counts once.
    column = batch_of([["blue", "red", "late"]], [shopper(SEEN)], catalog, attached).features.column
    for model in ("follows", "co_visitation", "linear"):
        np.testing.assert_allclose(column(f"sequence.{model}_latest"), [0.5, 0.0, NAN])
        np.testing.assert_allclose(column(f"sequence.{model}_latest3"), [0.5, 0.75, NAN])
        faded = [(0.5 + 0.7 * 0.125) / 1.7, 0.7 * 0.75 / 1.7, NAN]
        np.testing.assert_allclose(column(f"sequence.{model}_faded"), faded, rtol=1e-6)


def test_the_page_counts_as_the_latest_item(catalog: Catalog, attached: AttachedBundle) -> None:
    context = Context(item_ids=("杯",))
    column = batch_of([["blue", "red"]], [shopper(["red"])], catalog, attached, [context]).features.column
    np.testing.assert_allclose(column("sequence.follows_latest"), [0.125, 0.75])
    np.testing.assert_allclose(column("sequence.since"), np.log1p([NAN, 1]), rtol=1e-6)


def test_what_goes_with_the_history_in_whatever_order(catalog: Catalog, attached: AttachedBundle) -> None:
    lists = [["blue", "red", "late"]]
    column = batch_of(lists, [shopper(SEEN)], catalog, attached).features.column
    for model in ("co_visitation", "linear"):
        np.testing.assert_allclose(column(f"relation.{model}_max"), [0.5, 0.75, NAN])
        np.testing.assert_allclose(column(f"relation.{model}_mean"), [0.625 / 2, 0.75 / 2, NAN])
        np.testing.assert_allclose(column(f"relation.{model}_share"), [1.0, 0.5, NAN])
    relation = [name for name in NAMES if name.startswith("relation.")]
    turned = batch_of(lists, [shopper(SEEN[::-1])], catalog, attached).features.matrix(relation)
    ahead = batch_of(lists, [shopper(SEEN)], catalog, attached).features.matrix(relation)
    np.testing.assert_allclose(turned, ahead, rtol=1e-6)


def test_an_item_that_is_newer_than_the_bundle_goes_by_its_text(
    catalog: Catalog, attached: AttachedBundle
) -> None:
    column = batch_of([["late", "blue", "nothing"]], [shopper(["red"])], catalog, attached).features.column
    red, blue = encoder().encode(ITEMS[:2])
    expected = [1.0, float(red @ blue), NAN]
    names = [name for name in NAMES if "content" in name and not name.endswith("share")]
    assert len(names) == 5
    for name in names:
        np.testing.assert_allclose(column(name), expected, rtol=1e-3, err_msg=name)


def test_of_nobody_and_without_a_bundle_nothing_is_said(catalog: Catalog, attached: AttachedBundle) -> None:
    counts = {"sequence.times", "sequence.visit_times", "sequence.visit_events"}
    for who, bundle in ((Profile(), attached), (shopper(SEEN), None)):
        column = batch_of([["blue", "red"]], [who], catalog, bundle).features.column
        for name in NAMES:
            if name.rpartition("_")[0].endswith(("follows", "co_visitation", "linear", "content")):
                assert np.isnan(column(name)).all(), name
    empty = batch_of([["blue"]], [Profile()], catalog, attached).features.column
    for name in NAMES:
        assert (empty(name) == 0).all() if name in counts else np.isnan(empty(name)).all(), name


def test_a_bundle_without_a_model_leaves_out_its_columns_alone(tmp_path: Path, catalog: Catalog) -> None:
    write_small_bundle(tmp_path / "b", follows=None, co_visitation=None)
    bundle = AttachedBundle(load_bundle(tmp_path / "b"), catalog)
    column = batch_of([["blue"]], [shopper(["red"])], catalog, bundle).features.column
    assert np.isnan(column("sequence.follows_latest")).all()
    assert np.isnan(column("relation.co_visitation_max")).all()
    assert column("sequence.linear_latest").tolist() == [0.5]
    bundle.close()


def test_a_batch_has_the_columns_of_its_queries_one_by_one(
    catalog: Catalog, attached: AttachedBundle
) -> None:
    lists = [["blue", "red", "nothing"], [], ["late", "blue"], ["red"]]
    profiles = [shopper(SEEN, pause_before=3), shopper(["red"]), Profile(), shopper(["blue", "杯"])]
    together = batch_of(lists, profiles, catalog, attached).features.matrix(NAMES)
    start = 0
    for one, profile in zip(lists, profiles, strict=True):
        alone = batch_of([one], [profile], catalog, attached).features.matrix(NAMES)
        np.testing.assert_allclose(alone, together[start : start + len(one)], rtol=1e-6)
        start += len(one)


def test_an_item_that_stands_twice_has_the_same_columns_twice(
    catalog: Catalog, attached: AttachedBundle
) -> None:
    lists = [["red", "unheard of", "杯", "red", "unheard of"]]
    names = [name for name in ALWAYS if not name.endswith("_rank")]
    twice = batch_of(lists, [shopper(SEEN)], catalog, attached).features.matrix(names)
    np.testing.assert_array_equal(twice[:2], twice[3:])
    alone = batch_of([["red", "unheard of", "杯"]], [shopper(SEEN)], catalog, attached).features.matrix(names)
    np.testing.assert_array_equal(twice[:3], alone)
    assert twice[0, names.index("history.views")] > 0
    assert np.isnan(twice[1, names.index("sequence.linear_latest")])


def test_data_without_order_or_times_has_no_columns_that_need_them() -> None:
    assert available(has_times=True, has_order=True) == ALWAYS
    ordered = available(has_times=False, has_order=True)
    bare = available(has_times=False, has_order=False)
    assert "sequence.follows_latest" in ordered
    assert "history.age_days" not in ordered
    assert not {*bare} & (TIMED | ORDERED)
    assert not any(name.startswith("sequence.") for name in bare)
    assert {"relation.content_max", "relation.linear_mean", "item.popularity"} <= {*bare}
    assert {*ALWAYS} >= TIMED | ORDERED


def test_weights_between_items_are_those_of_the_neighbours() -> None:
    model = neighbours()
    rows, candidates = np.array([2, -1, 0], np.int32), np.array([1, 0, -1, 1], np.int32)
    expected = [[0.125, 0.75, 0, 0.125], [0] * 4, [0.5, 0, 0, 0.5]]
    for _ in range(2):  # the second call finds the scratch space clean
        found = between([model.hits(rows, candidates)])[:, 0].T
        np.testing.assert_array_equal(found, np.array(expected, np.float32))
    assert between([model.hits(rows[:0], candidates)]).shape == (4, 1, 0)
