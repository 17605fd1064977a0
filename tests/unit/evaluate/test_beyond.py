"""Measures beyond hits, and what chance gets, by hand and by drawing."""

import itertools
import math

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluate.support import lists, log, sets
from vitrine_export.evaluate.beyond import Background, describe, diversity, repeats, text_vectors
from vitrine_export.evaluate.chance import at_random
from vitrine_export.evaluate.lists import ItemCodes
from vitrine_export.evaluate.metrics import METRICS, measure

# Taken: item 0 four times, 1 twice, 2 twice, 3 never.
PAST = log([0, 1], [0, 1], [0, 2], [0, 2], items=4)


def test_every_measure_by_hand() -> None:
    found = describe(lists([0, 1], [2, 3], [], k=2), sets([0], [], [1]), Background.of(PAST), 2)
    # Shares 1/2, 1/4, 1/4, and 1/8 as if once.
    cosine = 2 / math.sqrt(4 * 2)
    assert found == pytest.approx(
        {
            "coverage@2": 1.0,
            "gini@2": 0.0,
            "novelty@2": ((1 + 2) / 2 + (2 + 3) / 2) / 2,
            # Nobody took item 3: nothing is known of it, so nothing is like it.
            "diversity@2": ((1 - cosine) + 1) / 2,
            # Percentiles 7/8, 4/8, 4/8, 1/8.
            "popularity@2": ((7 + 4) / 16 + (4 + 1) / 16) / 2,
            "popularity_lift@2": (7 + 4) / 16 - 7 / 8,
            "repeats@2": (1 / 2 + 0) / 2,
        }
    )


def test_the_same_list_for_everybody_is_as_unequal_as_can_be() -> None:
    found = describe(lists([0], [0], [0], k=1), sets([], [], []), Background.of(PAST), 1)
    assert found["coverage@1"] == 1 / 4
    assert found["gini@1"] == pytest.approx(3 / 4)  # 1 − 1/n for one of n
    assert math.isnan(found["popularity_lift@1"])
    assert math.isnan(found["diversity@1"]), "one item has no pair"


def test_what_is_not_in_the_catalogue_does_not_count() -> None:
    there = np.array([True, True, True, False])
    found = describe(lists([0, 1], k=2), sets([]), Background.of(PAST, catalogue=there), 2)
    assert found["coverage@2"] == pytest.approx(2 / 3)
    # Of three items, one less often taken than 0, and 1 shares its place with 2.
    assert found["popularity@2"] == pytest.approx((5 / 6 + 2 / 6) / 2)


def test_repeats_are_shares_of_what_is_shown() -> None:
    shown = lists([1, 2, 3], [4], [], k=3)
    found = repeats(shown, sets([3, 9, 1], [4], [5]), 3)
    np.testing.assert_allclose(found, [2 / 3, 1, np.nan])


@given(st.integers(0, 2**32 - 1))
def test_diversity_agrees_with_looking_at_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.random((12, 5)) * (rng.random((12, 1)) > 0.2)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.where(lengths > 0, lengths, 1)
    ranked = [rng.permutation(12)[: rng.integers(2, 6)].tolist() for _ in range(4)]
    background = Background.of(log([0], items=12), sp.csr_array(vectors))
    found = diversity(lists(*ranked, k=6).items, background)
    for value, items in zip(found, ranked, strict=True):
        pairs = [1 - float(vectors[i] @ vectors[j]) for i, j in itertools.combinations(items, 2)]
        assert value == pytest.approx(np.mean(pairs))
        assert -1e-9 <= value <= 1 + 1e-9


def test_texts_tell_what_items_are_like() -> None:
    codes = ItemCodes(["a", "b", "c", "d"], seed=0)
    table = pl.DataFrame(
        {
            "item_id": ["c", "a", "b", "other"],
            "title": ["red cup", "red cup", None, "blue"],
            "brand": ["x"] * 4,
        }
    )
    vectors = text_vectors(table, codes)
    assert vectors is not None
    cosine = (vectors @ vectors.T).toarray()
    assert cosine[0, 2] == pytest.approx(1)
    assert 0 < cosine[0, 1] < 1, "only the brand"
    assert cosine[3].tolist() == [0, 0, 0, 0], "not in the table"
    assert text_vectors(None, codes) is None
    assert text_vectors(pl.DataFrame({"item_id": ["a"], "price": [1.0]}), codes) is None
    assert text_vectors(pl.DataFrame({"item_id": ["a"], "title": [""]}), codes) is None


@pytest.mark.parametrize(
    ("size", "targets", "k"), [(6, [0], 3), (6, [0, 2, 5], 2), (5, [1, 2, 3, 4], 5), (3, [0, 1], 4)]
)
def test_chance_is_the_mean_over_every_possible_list(size: int, targets: list[int], k: int) -> None:
    every = [list(some) for some in itertools.permutations(range(size), min(k, size))]
    values = measure(lists(*every, k=k), sets(*[targets] * len(every)), [k])
    expected = at_random(sets(targets), [k], size)
    assert len(expected) == len(METRICS)
    for name, value in values.items():
        assert expected[name][0] == pytest.approx(value.mean()), name
