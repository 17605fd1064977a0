"""One negative for each positive, and what scores make of them."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluate.support import sets
from vitrine_export.evaluate.classification import Pairs, best_threshold, classify, pairs
from vitrine_export.evaluate.lists import ItemCodes
from vitrine_export.evaluate.temporal import Queries

CODES = ItemCodes((f"i{n}" for n in range(8)), seed=0)


def queries(targets: list[list[int]], history: list[list[int]], contexts: list[list[int]]) -> Queries:
    counts = np.zeros((len(targets), len(CODES)))
    for q, items in enumerate(history):
        counts[q, items] = 2
    users = [f"u:{q}" for q in range(len(targets))]
    return Queries(users, sets(*contexts), sets(*targets), sp.csr_array(counts))


def of(*scores: tuple[float, float], query: list[int] | None = None) -> tuple[Pairs, np.ndarray, np.ndarray]:
    positive, negative = np.array(scores).T
    codes = np.zeros(len(scores), np.int32)
    owner = np.arange(len(scores)) if query is None else np.array(query)
    return Pairs(owner.astype(np.int64), codes, codes), positive, negative


def test_a_negative_is_nothing_that_the_shopper_took_or_has() -> None:
    asked = queries([[0, 1], [2]], history=[[2, 3], []], contexts=[[4], []])
    drawn = [pairs(asked, CODES, seed) for seed in range(60)]
    first = {int(i) for p in drawn for i in p.negative[p.query == 0]}
    assert first == {5, 6, 7}
    assert {int(i) for p in drawn for i in p.negative[p.query == 1]} == {0, 1, 3, 4, 5, 6, 7}
    assert drawn[0].positive.tolist() == [0, 1, 2]
    assert drawn[0].query.tolist() == [0, 0, 1]
    again = pairs(asked, CODES, 0)
    assert again.negative.tolist() == drawn[0].negative.tolist()


def test_what_may_be_repeated_may_be_a_negative() -> None:
    asked = queries([[0]], history=[[2, 3]], contexts=[[4]])
    drawn = {int(pairs(asked, CODES, seed, masked=False).negative[0]) for seed in range(80)}
    assert drawn == {1, 2, 3, 5, 6, 7}


def test_negatives_are_in_the_catalogue() -> None:
    asked = queries([[0], [1]], history=[[], [5]], contexts=[[], []])
    there = np.isin(np.arange(8), [0, 1, 5])
    drawn = [pairs(asked, CODES, seed, catalogue=there) for seed in range(30)]
    assert {int(p.negative[0]) for p in drawn} == {1, 5}
    assert {int(p.negative[1]) for p in drawn} == {0}


def test_who_took_everything_has_no_pair() -> None:
    asked = queries([[0], [1]], history=[[], [5]], contexts=[[], []])
    drawn = pairs(asked, CODES, 0, catalogue=np.isin(np.arange(8), [1, 5]))
    assert (drawn.query.tolist(), drawn.positive.tolist()) == ([0], [0])


def test_figures_by_hand() -> None:
    # Positives .9 .5 .5, negatives .1 .5 .7.
    found = classify(*of((0.9, 0.1), (0.5, 0.5), (0.5, 0.7)), threshold=0.5)
    # .9 beats all; each .5 beats .1, half beats .5 and loses to .7.
    assert found.auc.mean == pytest.approx((3 + 1.5 + 1.5) / 9)
    assert found.recall.mean == 1
    assert found.precision.mean == pytest.approx(3 / 5)
    assert found.accuracy.mean == pytest.approx(4 / 6)
    assert found.f1.mean == pytest.approx(2 * 0.6 / 1.6)
    assert (found.threshold, found.pairs) == (0.5, 3)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_auc_is_the_share_of_pairs_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = of(*rng.integers(0, 5, (int(rng.integers(1, 9)), 2)).tolist())
    found = classify(*made, threshold=2.0)
    beaten = [(p > n) + 0.5 * (p == n) for p, n in itertools.product(made[1], made[2])]
    assert found.auc.mean == pytest.approx(np.mean(beaten))
    for one in (found.auc, found.accuracy, found.precision, found.recall, found.f1):
        assert 0 <= one.low <= one.high <= 1
        assert 0 <= one.mean <= 1
    # Only the order of scores counts.
    squared = classify(made[0], made[1] ** 2 + 1, made[2] ** 2 + 1, threshold=5.0)
    assert squared.auc.mean == pytest.approx(found.auc.mean)
    assert squared.f1.mean == pytest.approx(found.f1.mean)


def test_the_interval_of_the_auc_is_that_of_drawing_users_and_counting_pairs_again() -> None:
    rng = np.random.default_rng(3)
    user = np.sort(rng.integers(0, 120, 400))
    shift = rng.normal(size=120)[user]  # what a user gets is alike
    positive, negative = rng.normal(0.8, 1, 400) + shift, rng.normal(0, 1, 400) + shift
    codes = np.zeros(400, np.int32)
    found = classify(Pairs(user, codes, codes), positive, negative, 0.4)
    again = []
    for _ in range(300):
        drawn = np.concatenate([np.flatnonzero(user == u) for u in rng.integers(0, 120, 120)])
        again.append(float((positive[drawn][:, None] > negative[drawn]).mean()))
    width = found.auc.high - found.auc.low
    assert width == pytest.approx(np.diff(np.percentile(again, [2.5, 97.5]))[0], rel=0.2)
    # One query each, said to be those users', is the same.
    single = classify(Pairs(np.arange(400), codes, codes), positive, negative, 0.4, users=user)
    assert single == found


def test_without_pairs_there_is_nothing_to_say() -> None:
    none = Pairs(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))
    found = classify(none, np.empty(0), np.empty(0), 0.5)
    assert np.isnan(found.auc.mean)
    assert found.pairs == 0


def test_the_threshold_is_the_middle_of_the_widest_best_gap() -> None:
    assert best_threshold(np.array([0.8, 0.9, 0.3]), np.array([0.1, 0.2, 0.4])) == pytest.approx(0.6)
    # Where every score is a positive's, everything is called positive.
    assert best_threshold(np.array([0.5]), np.array([0.5])) == 0.5
    with pytest.raises(ValueError, match="no scores"):
        best_threshold(np.empty(0), np.empty(0))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_no_other_threshold_is_better(scores: list[tuple[int, int]]) -> None:
    made = of(*[(float(p), float(n)) for p, n in scores])
    best = classify(*made, best_threshold(made[1], made[2])).accuracy.mean
    for cut in range(11):
        right = (made[1] >= cut - 0.5).mean() + (made[2] < cut - 0.5).mean()
        assert right / 2 <= best + 1e-12
