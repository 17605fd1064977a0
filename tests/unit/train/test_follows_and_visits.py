"""What follows what, and past visits, are what their definitions say."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from vitrine_export.train import follows as follows_module
from vitrine_export.train.follows import fit_follows
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.visits import fit_visits

MINUTE = 60.0


def events(
    rows: list[tuple[int, int]], times: list[float] | None = None, *, ordered: bool = True, n: int = 5
) -> Interactions:
    """Pairs of shopper and item."""
    subjects, items = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    when = None if times is None else np.array(times) * MINUTE
    types = np.full(len(rows), 2, np.int8)
    return Interactions(subjects, items, np.full(len(rows), 0.5), when, 9, n, types, ordered)


def listed(visits: object) -> list[list[int]]:
    bounds = visits.indptr.tolist()  # type: ignore[attr-defined]
    return [visits.items[a:b].tolist() for a, b in pairwise(bounds)]  # type: ignore[attr-defined]


def random_events(count: int = 400) -> Interactions:
    rng = np.random.default_rng(3)
    rows = list(zip(rng.integers(0, 9, count).tolist(), rng.integers(0, 30, count).tolist(), strict=True))
    return events(rows, n=30)


def test_what_follows_is_counted_by_steps_and_divided_by_all_that_follows() -> None:
    # Shopper 0: a b c; shopper 1, whose events come in between: b a a.
    model = fit_follows(events([(0, 0), (1, 1), (0, 1), (1, 0), (0, 2), (1, 0)]), Parameters())
    assert model is not None
    a, b = (dict(zip(*own(model, row), strict=True)) for row in (0, 1))
    # After a: b, c two steps on, a; the doubt counts as one event.
    assert a == pytest.approx({1: 1 / 3.5, 2: 0.5 / 3.5, 0: 1 / 3.5})
    assert b == pytest.approx({2: 1 / 3.5, 0: 1.5 / 3.5})
    assert own(model, 2) == ([], [])


def test_with_a_smaller_exponent_what_was_seen_often_counts_more() -> None:
    # What follows 0: 1, four times. What follows 2: 3, once.
    rows = [(who, item) for who in range(4) for item in (0, 1)] + [(4, 2), (4, 3)]
    found = {}
    for exponent in (1.0, 0.5):
        model = fit_follows(events(rows), Parameters(follows_exponent=exponent))
        assert model is not None
        assert (own(model, 0)[0], own(model, 2)[0]) == ([1], [3])
        found[exponent] = own(model, 0)[1][0], own(model, 2)[1][0]
    assert found[1.0] == pytest.approx((4 / 5, 1 / 2))
    # Followers of each of the five items, the doubt counting as one: 5, 1, 2, 1, 1.
    mean = 10 / 5
    assert found[0.5] == pytest.approx((4 / (5 * mean) ** 0.5, 1 / (2 * mean) ** 0.5))


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_weights_are_those_of_twice_as_many_shoppers_alike(
    exponent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The doubt is so many events whatever the data: without it nothing but shares is left.
    monkeypatch.setattr(follows_module, "_DOUBT", 0.0)
    data = random_events()
    twice = data.where(np.tile(np.arange(len(data)), 2))
    twice = replace(twice, subjects=twice.subjects + 9 * np.repeat(np.arange(2), len(data)).astype(np.int32))
    once, both = (fit_follows(d, Parameters(follows_exponent=exponent)) for d in (data, twice))
    assert once is not None
    assert both is not None
    np.testing.assert_allclose(once.weights, both.weights, rtol=1e-5)


def own(model: object, row: int) -> tuple[list[int], list[float]]:
    mine = slice(model.indptr[row], model.indptr[row + 1])  # type: ignore[attr-defined]
    return model.indices[mine].tolist(), model.weights[mine].tolist()  # type: ignore[attr-defined]


def test_events_with_equal_times_do_not_follow_each_other_and_share_a_step() -> None:
    # A basket of a and b, then one of c and d, then e.
    dated = events([(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)], [0, 0, 1, 1, 2])
    model = fit_follows(dated, Parameters(half_life_days=1e9))
    assert model is not None
    for row in (0, 1):
        assert dict(zip(*own(model, row), strict=True)) == pytest.approx({2: 0.2, 3: 0.2, 4: 0.2})
    assert dict(zip(*own(model, 2), strict=True)) == pytest.approx({4: 0.5})


def test_only_so_many_steps_count_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_events()
    whole = fit_follows(data, Parameters())
    monkeypatch.setattr(follows_module, "_BLOCK", 100)
    parts = fit_follows(data, Parameters())
    assert whole is not None
    assert parts is not None
    for column in ("indptr", "indices", "weights"):
        np.testing.assert_array_equal(getattr(whole, column), getattr(parts, column))
    expected = np.zeros((30, 30))
    for who in range(9):
        items = data.items[data.subjects == who]
        for at, item in enumerate(items):
            for steps, later in enumerate(items[at + 1 : at + 11], 1):
                expected[item, later] += 0.5 / steps
    expected /= expected.sum(axis=1, keepdims=True) + 0.5
    found = np.stack([whole.scores(np.array([i], np.int32), np.ones(1)) for i in range(30)])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_item_leads_to_the_likeliest_only() -> None:
    model = fit_follows(random_events(), Parameters(neighbours=3))
    assert model is not None
    assert np.diff(model.indptr).max() == 6


def test_without_order_there_is_neither() -> None:
    unordered = events([(0, 0), (0, 1)], ordered=False)
    assert fit_follows(unordered, Parameters()) is None
    assert fit_visits(unordered, Parameters()) is None
    lonely = events([(0, 0), (1, 1)])
    assert fit_follows(lonely, Parameters()) is None
    assert fit_visits(lonely, Parameters()) is None
    none = unordered.where(np.zeros(2, np.bool_))
    assert fit_follows(none, Parameters()) is None
    assert fit_visits(none, Parameters()) is None


def test_a_visit_holds_each_item_once_in_order_and_ends_with_a_pause() -> None:
    rows = [(0, 3), (0, 1), (0, 3), (1, 2), (0, 4), (0, 0), (1, 0), (2, 1)]
    # Given out of order; shopper 0 pauses for an hour after the third event.
    visits = fit_visits(events(rows, [0, 1, 2, 500, 62, 63, 510, 5]), Parameters(session_gap_minutes=30))
    assert visits is not None
    assert listed(visits) == [[3, 1], [4, 0], [2, 0]]
    latest = fit_visits(events(rows, [0, 1, 2, 500, 62, 63, 510, 5]), Parameters(), most=1)
    assert listed(latest) == [[2, 0]]


def test_without_times_a_shopper_makes_one_visit() -> None:
    visits = fit_visits(events([(0, 3), (1, 2), (0, 1), (0, 3), (1, 0), (2, 4)]), Parameters())
    assert visits is not None
    assert sorted(listed(visits)) == [[2, 0], [3, 1]]
    assert len(listed(fit_visits(random_events(), Parameters(), most=4))) == 4


def test_of_a_very_long_visit_the_latest_items_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitrine_export.train.visits.MOST_ITEMS", 3)
    visits = fit_visits(events([(0, i) for i in (4, 1, 2, 0, 3)]), Parameters())
    assert visits is not None
    assert listed(visits) == [[2, 0, 3]]
