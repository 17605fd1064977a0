"""Columns of several parts, one after the other: of the queries of a batch, which nearly always are one."""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.generic)


def joined(parts: Sequence[npt.NDArray[T]], dtype: type[T]) -> npt.NDArray[T]:
    """All parts one after the other; the part itself where there is one, and an empty column of a type for none."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.empty(0, dtype), *parts])


def offsets_of(sizes: Sequence[int]) -> npt.NDArray[np.int64]:
    """``int64[q + 1]``: where each of q parts begins, and the end."""
    return np.array([0, *accumulate(sizes)], np.int64)


def sizes_of(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``int64[q]``: the size of each part."""
    return offsets[1:] - offsets[:-1]
