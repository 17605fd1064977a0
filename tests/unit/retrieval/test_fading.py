"""What the latest events say, each item once."""

import numpy as np

from vitrine.domain.fading import faded

ROWS = np.array([4, 7, -1, 4, 2], np.int32)


def test_each_item_counts_once_where_it_came_last() -> None:
    rows, weights, events = faded(ROWS, 0.5, 9)
    assert rows.tolist() == [2, 4, 7]
    assert weights.tolist() == [1, 0.5, 0.25]
    assert events.tolist() == [4, 3, 1]
    assert faded(ROWS, 0.5, 2)[0].tolist() == [2, 4]


def test_the_visit_that_goes_on_comes_before_all_others() -> None:
    visit = np.array([False, False, False, True, True])
    assert faded(ROWS, 0.5, 9, visit)[0].tolist() == [2, 4]
    only_unknown = np.array([False, False, True, False, False])
    assert faded(ROWS, 0.5, 9, only_unknown)[0].tolist() == [2, 4, 7]


def test_nothing_known_is_nothing() -> None:
    rows, weights, events = faded(np.array([-1, -1], np.int32), 0.5, 9)
    assert rows.size == weights.size == events.size == 0
