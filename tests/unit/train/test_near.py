"""Factors of what stands near what."""

import numpy as np
import pytest

from vitrine_export.train.factors import fit_factors
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.near import _meetings, fit_near
from vitrine_export.train.parameters import Parameters


def events(rows: list[tuple[int, int]], times: list[float] | None = None, *, n: int = 60) -> Interactions:
    """Pairs of shopper and item, in order."""
    subjects, items = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    when = None if times is None else np.array(times)
    types = np.full(len(rows), 2, np.int8)
    return Interactions(subjects, items, np.full(len(rows), 0.5), when, 500, n, types, ordered=True)


@pytest.fixture(scope="module")
def two_worlds() -> Interactions:
    """Half of the shoppers turn to items below 25, half to those from 25 to 49; nobody to the others."""
    rng = np.random.default_rng(4)
    rows = []
    for who in range(400):
        first = 25 * (who % 2)
        rows += [(who, int(item)) for item in first + rng.integers(0, 25, 6)]
    return events(rows)


def test_meetings_count_less_the_farther_apart() -> None:
    near = _meetings(events([(0, 0), (1, 3), (0, 1), (0, 1), (0, 2), (1, 0)])).toarray()
    wanted = np.zeros((60, 60))
    wanted[0, 1], wanted[0, 2], wanted[1, 2], wanted[3, 0] = 1 + 1 / 2, 1 / 3, 1 + 1 / 2, 1
    np.testing.assert_allclose(near, wanted + wanted.T)


def test_what_shares_a_moment_meets_once() -> None:
    near = _meetings(events([(0, 0), (0, 1), (0, 2)], [5, 5, 6])).toarray()
    assert (near[0, 1], near[0, 2], near[1, 2], near[0, 0]) == (1, 1, 1, 0)


def test_items_with_the_same_company_are_alike_though_they_never_met(two_worlds: Interactions) -> None:
    # Items 0 and 1 never come in the same visit.
    both = np.bincount(two_worlds.subjects[two_worlds.items == 0], minlength=500) > 0
    apart = two_worlds.where(~(both[two_worlds.subjects] & (two_worlds.items == 1)))
    factors = fit_near(apart, 4, seed=0)
    assert factors is not None
    rows = np.arange(50, dtype=np.int32)
    alike = factors.between(rows, rows)
    np.testing.assert_allclose(np.diag(alike), 1, atol=2e-3)
    assert alike[:25, :25].mean() > alike[:25, 25:].mean() + 0.3
    assert alike[0, 1] > alike[0, 25:].max()
    unknown = factors.between(np.array([0, 55], np.int32), np.array([55, 0], np.int32))
    np.testing.assert_array_equal(unknown[:, 0], 0)
    np.testing.assert_array_equal(unknown[1], 0)


def test_one_seed_gives_one_answer_and_nothing_to_learn_from_none(two_worlds: Interactions) -> None:
    one, same = (fit_factors(two_worlds, Parameters(factors=4), seed=3) for _ in range(2))
    assert one is not None
    assert same is not None
    np.testing.assert_array_equal(one.vectors, same.vectors)
    assert fit_factors(two_worlds, Parameters(factors=0), seed=3) is None
    assert fit_near(events([(0, 1), (1, 2)]), 4, seed=0) is None
