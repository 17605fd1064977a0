"""Tables that are kept between look-ups, and ranges of entries."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from vitrine.bundle.scratch import Scratch, kept_places, order_of, ranges


def test_places_are_cleared_whatever_happens() -> None:
    scratch = Scratch()
    with scratch.places("items", 6, np.array([4, 1, 4])) as place:
        assert place.tolist() == [0, 2, 0, 0, 3, 0]
    with pytest.raises(RuntimeError), scratch.places("items", 6, np.array([2])):
        raise RuntimeError
    assert not scratch.table("items", 6).any()


def test_places_are_kept_until_others_are_asked_for() -> None:
    def asked(size: int, *rows: int) -> list[int]:
        places = kept_places("test", size, np.array(rows, np.int32))
        among = kept_places("among", size, np.array(rows, np.int32), np.bool_)
        np.testing.assert_array_equal(among, places > 0)
        return [int(place) for place in places]

    assert asked(6, 4, 1, -1, 4) == [0, 2, 0, 0, 4, 0]
    with pytest.raises(IndexError):
        asked(6, 1, 9)
    # Of a longer table the last place is another one, and what was there before is gone.
    assert asked(9, -1, 2) == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert asked(6) == [0] * 6
    assert kept_places("other", 2, np.array([0], np.int32)).tolist() == [1, 0]


def test_keys_are_grouped_where_they_are_named_last() -> None:
    last, own = Scratch().grouped("items", 9, np.array([7, 3, 7, 0], np.int32))
    assert (last.tolist(), own.tolist()) == ([2, 1, 2, 3], [1, 2, 3])
    last, own = Scratch().grouped("items", 9, np.empty(0, np.int32))
    assert len(last) == len(own) == 0


def test_each_thread_has_tables_of_its_own() -> None:
    scratch, both = Scratch(), Barrier(2)

    def look(row: int) -> list[int]:
        with scratch.places("items", 2, np.array([row])) as place:
            both.wait(10)
            return [int(number) for number in place]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(look, [0, 1])) == [[1, 0], [0, 1]]


def test_ranges_one_after_the_other() -> None:
    start, stop = np.array([3, 7, 0]), np.array([5, 7, 1])
    numbers, owner = ranges(start, stop)
    assert (numbers.tolist(), owner.tolist()) == ([3, 4, 0], [0, 0, 2])
    assert ranges(start, stop, np.array([5, 6, 8]))[1].tolist() == [5, 5, 8]


@pytest.mark.parametrize("largest", [1, 300, 70_000, 2**31 - 1])
def test_rows_are_ordered_as_a_stable_sort_does(largest: int) -> None:
    rows = np.random.default_rng(2).integers(0, largest, 5000).astype(np.int32)
    np.testing.assert_array_equal(order_of(rows), np.argsort(rows, kind="stable"))
