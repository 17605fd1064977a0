"""Places for what nobody has turned to yet."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.domain.profile import DAY
from vitrine.plugin import Items
from vitrine.ranking.newcomers import are_newcomers, with_newcomers

NOW = 100 * DAY


def _items(created: list[float], popularity: list[float]) -> Items:
    rows = np.arange(len(created), dtype=np.int32)
    nothing = np.full(len(rows), -1, np.int32)
    return Items(
        ids=[f"i{row}" for row in rows],
        rows=rows,
        bundle_rows=rows,
        price_micros=np.zeros(len(rows), np.int64),
        created=np.array(created),
        category=nothing,
        brand=nothing,
        popularity=np.array(popularity, np.float32),
        trend=np.zeros(len(rows), np.float32),
    )


def _window(size: int, newcomers: list[int], every: int) -> tuple[list[int], list[float]]:
    final = np.linspace(1, 0.5, size, dtype=np.float32)
    positions, scores = with_newcomers(np.arange(size), final, np.array(newcomers, np.int64), every)
    return positions.tolist(), scores.tolist()


def test_a_newcomer_came_in_lately_and_nobody_turned_to_it() -> None:
    items = _items(
        # Just now, at the end of the days, too long ago, at no known time, in the future; then lately, but known.
        [NOW, NOW - 30 * DAY, NOW - 31 * DAY, 0.0, NOW + 1, NOW, NOW],
        [0, 0, 0, 0, 0, 0.001, np.nan],
    )
    assert are_newcomers(items, 0, 7, NOW, 30 * DAY).tolist() == [True, True, *[False] * 5]
    assert are_newcomers(items, 1, 3, NOW, 30 * DAY).tolist() == [True, False]


def test_who_does_not_tell_what_is_popular_gets_no_newcomers() -> None:
    items = replace(_items([NOW], [0]), popularity=np.array([np.nan], np.float32))
    assert not are_newcomers(items, 0, 1, NOW, DAY).any()


def test_the_last_of_each_few_places_goes_to_the_best_newcomer() -> None:
    positions, scores = _window(6, [40, 41, 42], 3)
    assert positions == [0, 1, 40, 2, 3, 41]
    assert scores == sorted(scores, reverse=True)


def test_a_newcomer_that_made_it_by_itself_counts() -> None:
    assert _window(6, [1, 41, 42], 3)[0] == [0, 1, 2, 3, 4, 41]


def test_a_newcomer_further_down_moves_up() -> None:
    positions, _ = _window(6, [5, 41], 3)
    assert positions == [0, 1, 5, 2, 3, 41]


def test_without_newcomers_nothing_changes() -> None:
    assert _window(6, [], 3)[0] == list(range(6))


def test_a_window_that_is_too_short_has_none() -> None:
    assert _window(2, [40], 3)[0] == [0, 1]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_all_places_may_go_to_newcomers(size: int) -> None:
    assert _window(size, [40, 41, 42, 43, 44], 1)[0] == [40, 41, 42, 43, 44][:size]


@given(
    size=st.integers(0, 40),
    newcomers=st.lists(st.integers(0, 60), unique=True, max_size=20),
    every=st.integers(1, 12),
)
def test_a_short_window_is_the_beginning_of_a_long_one(size: int, newcomers: list[int], every: int) -> None:
    positions, scores = _window(size, newcomers, every)
    assert len(set(positions)) == len(positions) == size
    assert scores == sorted(scores, reverse=True)
    for wanted in range(1, size // every + 1):
        there = len(set(positions[: wanted * every]) & set(newcomers))
        assert there >= min(wanted, len(newcomers))
    shorter = np.arange(size // 2)
    again, _ = with_newcomers(
        shorter, np.linspace(1, 0.5, len(shorter), dtype=np.float32), np.array(newcomers, np.int64), every
    )
    # What the shorter window did not reach, the longer one shows further down.
    assert again.tolist() == positions[: size // 2]
