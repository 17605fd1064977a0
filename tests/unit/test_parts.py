"""Columns of the parts of a batch."""

import numpy as np
import pytest

from vitrine.domain.parts import joined, offsets_of, sizes_of


@pytest.mark.parametrize("sizes", [[], [3], [0], [2, 0, 5]])
def test_sizes_are_the_way_from_offset_to_offset(sizes: list[int]) -> None:
    offsets = offsets_of(sizes)
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [0, *np.cumsum(sizes).tolist()]
    assert sizes_of(offsets).tolist() == sizes


def test_parts_are_joined_in_their_order_and_one_alone_is_not_copied() -> None:
    one, other = np.array([1, 2], np.int32), np.array([3], np.int32)
    assert joined([one, other, one], np.int32).tolist() == [1, 2, 3, 1, 2]
    assert joined([one], np.int32) is one
    nothing = joined([], np.int32)
    assert nothing.dtype == np.int32
    assert len(nothing) == 0
