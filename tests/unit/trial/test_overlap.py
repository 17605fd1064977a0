"""What rankers have in common, against figures worked out by hand."""

import numpy as np
import pytest

from vitrine_export.evaluate.lists import Lists
from vitrine_export.trial.examples import changed_places, choose
from vitrine_export.trial.overlap import shared, spearman
from vitrine_export.trial.page import moved


def lists(*rows: list[int]) -> Lists:
    return Lists.of([(np.array(r, np.int32), np.zeros(len(r), np.float32)) for r in rows], 4)


def test_the_share_counts_items_of_mine_whatever_their_rank() -> None:
    mine, theirs = lists([1, 2, 3, 4], [5, 6], []), lists([4, 9, 1], [7], [1])
    assert shared(mine, theirs) == pytest.approx((2 / 4 + 0 / 2) / 2), "an empty list of mine says nothing"
    assert np.isnan(shared(lists([]), lists([1])))


def test_rank_correlation_is_that_of_ranks_with_ties_in_the_middle() -> None:
    one = np.array([1, 2, 2, 9, np.nan], np.float32)
    assert spearman(one, one) == pytest.approx(1)
    assert spearman(one, -one) == pytest.approx(-1)
    # Ranks 1, 2.5, 2.5, 4 against 4, 1, 2, 3.
    assert spearman(one, np.array([7, 1, 2, 3, 5], np.float32)) == pytest.approx(-0.3162278)
    assert np.isnan(spearman(one, np.ones(5, np.float32)))
    assert np.isnan(spearman(one[:2], one[:2]))


def test_places_that_changed_and_whom_to_show() -> None:
    before, after = lists([1, 2, 3, 4], [1, 2], [1, 2, 3, 4]), lists([1, 3, 2, 4], [1, 2], [4, 3, 2, 1])
    changed = changed_places(before, after)
    assert changed.tolist() == [0.5, 0.0, 1.0]
    assert choose(changed, 2) == [2, 1], "the most and the least changed"
    assert choose(changed, 9) == [2, 0, 1]


def test_marks_of_what_moved() -> None:
    assert [moved(3, 5), moved(5, 3), moved(4, 4), moved(1, 0)] == ["↑2", "↓2", "", "new"]
