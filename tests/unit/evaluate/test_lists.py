"""Lists, sets and sequences as columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluate.support import sets
from vitrine_export.evaluate.lists import ItemCodes, Lists, Sequences


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


def test_sequences_of_rows_in_order() -> None:
    made = Sequences.of_rows(np.array([2, 0, 2, -1, 0, 2]), np.array([5, 6, 5, 7, -1, 8]), 3)
    assert [made.of(q).tolist() for q in range(3)] == [[6], [], [5, 5, 8]]
    assert made.moments.tolist() == [0, 0, 1, 2]
    assert made.ages.tolist() == [0, 2, 1, 0]


def test_times_order_rows_and_those_of_one_time_are_one_moment() -> None:
    times = np.array([9.0, 3, 9, 1, 7])
    made = Sequences.of_rows(np.array([0, 0, 0, 1, 1]), np.array([1, 2, 3, 4, 5]), 2, times)
    assert [made.of(q).tolist() for q in range(2)] == [[2, 1, 3], [4, 5]]
    assert made.moments.tolist() == [0, 1, 1, 0, 1]
    assert made.ages.tolist() == [1, 0, 0, 1, 0]


def test_counting_changes_nothing() -> None:
    made = Sequences.of_rows(np.array([0, 0, 0]), np.array([4, 1, 4]), 1)
    assert made.counts(5).toarray().tolist() == [[0, 1, 0, 0, 2]]
    assert made.of(0).tolist() == [4, 1, 4]
    assert made.offsets.tolist() == [0, 3]


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=6), st.data())
def test_taking_some_sequences(queries: list[list[int]], data: st.DataObject) -> None:
    rows = [(q, item) for q, items in enumerate(queries) for item in items]
    query, item = np.array(rows, np.int64).reshape(-1, 2).T
    made = Sequences.of_rows(query, item, len(queries))
    picked = data.draw(st.lists(st.integers(0, len(queries) - 1), max_size=8))
    some = made.take(np.array(picked, np.intp))
    assert [some.of(i).tolist() for i in range(len(picked))] == [queries[q] for q in picked]
    assert some.ages.tolist() == [age for q in picked for age in range(len(queries[q]) - 1, -1, -1)]
