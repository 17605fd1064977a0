"""Measures of ranked lists against figures worked out by hand, and a plain loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluate.support import lists, sets
from vitrine_export.evaluate.metrics import METRICS, measure

KS = (1, 2, 3, 7)


def test_recall_divides_by_all_targets_even_where_the_list_is_shorter() -> None:
    values = measure(
        lists([7, 1, 2], [5], [9, 8, 7], k=3), sets([1, 2, 3, 4], [6], [7, 8, 9]), [2, 3], ["recall"]
    )
    np.testing.assert_allclose(values["recall@3"], [2 / 4, 0, 1])
    np.testing.assert_allclose(values["recall@2"], [1 / 4, 0, 2 / 3])


def test_ndcg_by_hand() -> None:
    discount = [1, 1 / math.log2(3), 1 / 2]
    values = measure(lists([7, 1, 2], [5], [9, 8, 7], k=3), sets([1, 2, 3, 4], [6], [7, 8, 9]), [3])
    # Four targets, but three places: the ideal list has three.
    np.testing.assert_allclose(values["ndcg@3"], [(discount[1] + discount[2]) / sum(discount), 0, 1])
    # One target at rank 2 of 3: the ideal list has it at rank 1.
    one = measure(lists([5, 6], k=3), sets([6]), [3])
    np.testing.assert_allclose(one["ndcg@3"], [1 / math.log2(3)])


def test_every_measure_by_hand() -> None:
    # Hits at ranks 2 and 4 of five places; three targets, one of which is not found.
    values = measure(lists([9, 1, 8, 2], k=5), sets([1, 2, 3]), [1, 5])
    assert {name: float(v[0]) for name, v in values.items()} == pytest.approx(
        {
            "recall@1": 0,
            "precision@1": 0,
            "f1@1": 0,
            "hr@1": 0,
            "mrr@1": 0,
            "map@1": 0,
            "ndcg@1": 0,
            "recall@5": 2 / 3,
            "precision@5": 2 / 5,
            "f1@5": 2 * (2 / 5) * (2 / 3) / (2 / 5 + 2 / 3),
            "hr@5": 1,
            "mrr@5": 1 / 2,
            "map@5": (1 / 2 + 2 / 4) / 3,
            "ndcg@5": (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2),
        }
    )


def test_with_one_target_the_hit_rate_is_the_recall_and_not_the_precision() -> None:
    values = measure(lists([4, 5], [6, 7], k=2), sets([5], [8]), [2])
    assert values["hr@2"].tolist() == values["recall@2"].tolist() == [1, 0]
    assert values["precision@2"].tolist() == [1 / 2, 0]
    assert values["map@2"].tolist() == values["mrr@2"].tolist() == [1 / 2, 0]


def test_a_short_list_is_not_filled_with_hits() -> None:
    # −1 pads short lists; −1 must not match anything.
    values = measure(lists([], [3], k=4), sets([0], [3]), [4])
    np.testing.assert_allclose(values["recall@4"], [0, 1])
    np.testing.assert_allclose(values["precision@4"], [0, 1 / 4])


def test_a_query_without_a_target_is_refused() -> None:
    with pytest.raises(ValueError, match="query 1 has no target"):
        measure(lists([1], [1], k=1), sets([1], []), [1])
    with pytest.raises(ValueError, match="cut-offs"):
        measure(lists([1], k=1), sets([1]), [0])


def by_loop(top: list[int], targets: list[int], k: int) -> dict[str, float]:
    hit = [item in targets for item in top[:k]]
    precision, recall = sum(hit) / k, sum(hit) / len(targets)
    dcg = sum(h / math.log2(r + 2) for r, h in enumerate(hit))
    ideal = sum(1 / math.log2(r + 2) for r in range(min(k, len(targets))))
    ap = sum(sum(hit[: r + 1]) / (r + 1) for r, h in enumerate(hit) if h)
    return {
        f"recall@{k}": recall,
        f"precision@{k}": precision,
        f"f1@{k}": 2 * precision * recall / (precision + recall) if any(hit) else 0.0,
        f"hr@{k}": float(any(hit)),
        f"mrr@{k}": 1 / (hit.index(True) + 1) if any(hit) else 0.0,
        f"map@{k}": ap / min(k, len(targets)),
        f"ndcg@{k}": dcg / ideal,
    }


@given(st.integers(0, 2**32 - 1))
def test_measures_agree_with_a_plain_loop_at_every_cut_off(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 8))
    ranked = [rng.permutation(12)[: rng.integers(0, 10)].tolist()[:k] for _ in range(5)]
    wanted = [rng.permutation(12)[: rng.integers(1, 10)].tolist() for _ in range(5)]
    # Cut-offs beyond the lists: places without an item are misses.
    values = measure(lists(*ranked, k=k), sets(*wanted), KS)
    assert len(values) == len(KS) * len(METRICS)
    for q, (top, targets) in enumerate(zip(ranked, wanted, strict=True)):
        for at in KS:
            for name, value in by_loop(top, targets, at).items():
                assert values[name][q] == pytest.approx(value), name


@given(st.integers(0, 2**32 - 1))
def test_measures_are_shares_and_do_not_know_what_items_are_called(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ranked = [rng.permutation(30)[:10].tolist() for _ in range(4)]
    wanted = [rng.permutation(30)[: rng.integers(1, 6)].tolist() for _ in range(4)]
    values = measure(lists(*ranked, k=10), sets(*wanted), KS)
    assert all(((v >= 0) & (v <= 1)).all() for v in values.values())
    called = rng.permutation(30)
    again = measure(
        lists(*([int(called[i]) for i in q] for q in ranked), k=10),
        sets(*([int(called[i]) for i in q] for q in wanted)),
        KS,
    )
    for name, v in values.items():
        np.testing.assert_array_equal(v, again[name])


@given(st.integers(0, 2**32 - 1))
def test_a_longer_list_never_finds_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ranked, wanted = rng.permutation(20)[:10].tolist(), rng.permutation(20)[:4].tolist()
    values = measure(lists(ranked, k=10), sets(wanted), range(1, 11))
    for name in ("recall", "hr", "mrr"):
        grown = [float(values[f"{name}@{k}"][0]) for k in range(1, 11)]
        assert grown == sorted(grown)
