"""Metrics, lists and intervals against figures worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine_export.evaluate.bootstrap import paired
from vitrine_export.evaluate.lists import ItemCodes, ItemSets, Lists
from vitrine_export.evaluate.metrics import measure, ndcg, recall


def sets(*queries: list[int]) -> ItemSets:
    pairs = [(q, item) for q, items in enumerate(queries) for item in items]
    query, item = np.array(pairs, np.int64).reshape(-1, 2).T
    return ItemSets.of_pairs(query, item, len(queries))


def lists(*queries: list[int], k: int) -> Lists:
    return Lists.of([(np.array(q, np.int32), np.ones(len(q), np.float32)) for q in queries], k)


def test_recall_divides_by_all_targets_even_where_the_list_is_shorter() -> None:
    found = lists([7, 1, 2], [5], [9, 8, 7], k=3)
    targets = sets([1, 2, 3, 4], [6], [7, 8, 9])
    np.testing.assert_allclose(recall(found, targets, 3), [2 / 4, 0, 1])
    np.testing.assert_allclose(recall(found, targets, 2), [1 / 4, 0, 2 / 3])


def test_ndcg_by_hand() -> None:
    found = lists([7, 1, 2], [5], [9, 8, 7], k=3)
    targets = sets([1, 2, 3, 4], [6], [7, 8, 9])
    discount = [1, 1 / math.log2(3), 1 / 2]
    # Four targets, but three places: the ideal list has three.
    first = (discount[1] + discount[2]) / sum(discount)
    np.testing.assert_allclose(ndcg(found, targets, 3), [first, 0, 1])
    # One target at rank 2 of 3: the ideal list has it at rank 1.
    np.testing.assert_allclose(ndcg(lists([5, 6], k=3), sets([6]), 3), [1 / math.log2(3)])


def test_a_short_list_is_not_filled_with_hits() -> None:
    # −1 pads short lists; −1 must not match anything.
    values = measure(lists([], [3], k=4), sets([0], [3]), 4)
    np.testing.assert_allclose(values["recall@4"], [0, 1])


@given(st.integers(0, 2**32 - 1))
def test_metrics_agree_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 8))
    ranked = [rng.permutation(12)[: rng.integers(0, 10)].tolist() for _ in range(5)]
    wanted = [rng.permutation(12)[: rng.integers(1, 10)].tolist() for _ in range(5)]
    values = measure(lists(*ranked, k=k), sets(*wanted), k)
    for q, (top, targets) in enumerate(zip(ranked, wanted, strict=True)):
        hit = [item in targets for item in top[:k]]
        dcg = sum(h / math.log2(r + 2) for r, h in enumerate(hit))
        ideal = sum(1 / math.log2(r + 2) for r in range(min(k, len(targets))))
        assert values[f"recall@{k}"][q] == pytest.approx(sum(hit) / len(targets))
        assert values[f"ndcg@{k}"][q] == pytest.approx(dcg / ideal)


def test_top_counts_only_scores_above_zero_and_breaks_ties_by_hash() -> None:
    ties = np.array([3, 1, 2, 0, 9], np.uint64)
    scores = np.array([[1.0, 1.0, 1.0, 0.0, 2.0], [0.0, 0.0, -1.0, 0.0, 0.5]])
    top = Lists.top(scores.copy(), ties, 3)
    assert top.items.tolist() == [[4, 1, 2], [4, -1, -1]]
    assert np.isnan(top.scores[1, 1:]).all()
    assert Lists.top(scores, ties, 3, sets([4, 1], [4])).items.tolist() == [[2, 0, -1], [-1, -1, -1]]


def test_ties_do_not_follow_the_order_of_identifiers() -> None:
    codes = ItemCodes((f"item{n:03}" for n in range(200)), seed=0)
    first = Lists.top(np.ones((1, 200)), codes.ties, 20).items[0]
    assert first.tolist() != sorted(first.tolist())
    again = ItemCodes((f"item{n:03}" for n in range(200)), seed=1)
    assert Lists.top(np.ones((1, 200)), again.ties, 20).items[0].tolist() != first.tolist()


def test_set_algebra() -> None:
    some = sets([1, 2, 3], [], [5])
    assert [some.less(sets([2], [1], [5])).of(q).tolist() for q in range(3)] == [[1, 3], [], []]
    assert some.take(np.array([2, 0])).of(1).tolist() == [1, 2, 3]
    allowed = np.array([False, False, True, False, False, True])
    assert [some.within(allowed).of(q).tolist() for q in range(3)] == [[2], [], [5]]


def test_the_interval_of_a_constant_gain_is_that_gain() -> None:
    gap = paired(np.array([0.3, 0.5, 0.7]), np.array([0.2, 0.4, 0.6]), seed=0)
    assert (gap.mean, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))
    assert gap.relative == pytest.approx(0.25)


def test_the_interval_covers_about_two_standard_errors() -> None:
    gains = np.random.default_rng(5).normal(0.02, 0.1, 1000)
    gap = paired(gains, np.zeros(1000), seed=1)
    assert (gap.high - gap.low) / 2 == pytest.approx(1.96 * gains.std() / math.sqrt(1000), rel=0.05)
    assert gap == paired(gains, np.zeros(1000), seed=1)
