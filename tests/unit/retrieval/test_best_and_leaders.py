"""The best k, and a head that is kept up to date, against sorting everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.retrieval.best import best
from vitrine.retrieval.leaders import Leaders

VALUES = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0])


@settings(max_examples=200)
@given(st.lists(VALUES, max_size=30), st.integers(0, 12), st.randoms(use_true_random=False))
def test_best(values: list[float], limit: int, random: object) -> None:
    scores = np.array(values, np.float32)
    tie = np.random.default_rng(len(values)).permutation(len(values)).astype(np.uint64)
    expected = sorted(range(len(values)), key=lambda k: (-scores[k], tie[k]))[:limit]
    assert best(scores, tie, limit).tolist() == expected


@pytest.mark.parametrize("limit", [1, 15, 100, 1000, 2500, 19_999, 20_000, 30_000])
@pytest.mark.parametrize("kind", ["distinct", "ascending", "hidden", "level", "few"])
def test_best_of_many(kind: str, limit: int) -> None:
    rng = np.random.default_rng(3)
    scores = rng.random(20_000).astype(np.float32)
    if kind == "ascending":
        scores.sort()
    elif kind == "hidden":  # every sixteenth is low
        scores[::16] = 0
    elif kind == "level":
        scores[:] = 1
    elif kind == "few":
        scores = np.round(scores * 20).astype(np.float32)
    tie = rng.permutation(20_000).astype(np.uint64)
    expected = np.lexsort((tie, -scores))[:limit].tolist()
    assert best(scores, tie, limit).tolist() == expected
    rows = rng.permutation(30_000)[:20_000].astype(np.int32)
    by_row = np.zeros(30_000, np.uint64)
    by_row[rows] = tie
    assert best(scores, by_row, limit, rows).tolist() == expected


@settings(max_examples=200)
@given(st.lists(st.lists(st.tuples(st.integers(0, 29), VALUES), max_size=6), max_size=12), st.booleans())
def test_leaders(changes: list[list[tuple[int, float]]], read_between: bool) -> None:
    values, tie = np.zeros(30), np.random.default_rng(1).permutation(30).astype(np.uint64)
    leaders = Leaders(size=4)
    for change in changes:
        for row, value in change:
            values[row] = value
        leaders.touch(np.unique(np.array([row for row, _ in change], np.int32)))
        if read_between:
            leaders.head(values, tie)
    head = leaders.head(values, tie).tolist()
    expected = sorted(np.flatnonzero(values > 0).tolist(), key=lambda k: (-values[k], tie[k]))
    assert head == expected[: len(head)]
    if leaders.complete:
        assert head == expected
    else:
        # The row behind the floor may have fallen to nothing: then the head is all there is, without knowing it.
        assert 2 <= len(head) <= len(expected)
