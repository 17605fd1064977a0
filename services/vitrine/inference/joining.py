"""Makes one run's inputs of those of several callers."""

from collections.abc import Sequence

import numpy as np

from vitrine.errors import InferenceError
from vitrine.inference.running import Array, Feeds, Outputs

_SMALLEST_BUCKET = 8


def rows_of(feeds: Feeds) -> int:
    """How many rows inputs have.

    Raises:
        InferenceError: They have not the same number.
    """
    lengths: set[int | None] = {a.shape[0] if a.ndim else None for a in feeds.values()}
    first = lengths.pop() if lengths else None
    if first is None or lengths:
        shapes = ", ".join(f"'{name}' {a.shape}" for name, a in feeds.items())
        raise InferenceError(f"the model's inputs need the same number of rows (axis 0); they are {shapes}")
    return first


def check_rows(outputs: Outputs, rows: int) -> None:
    """Refuses outputs that do not go with the inputs row by row.

    Raises:
        InferenceError: One has another number of rows; names it.
    """
    for name, values in outputs.items():
        if not values.ndim or len(values) != rows:
            raise InferenceError(
                f"the model's output '{name}' has shape {values.shape} for {rows} rows of inputs; "
                "requests cannot share its runs"
            )


def bucket(rows: int, most: int) -> int:
    """The next power of two, at most ``most``; more rows than that are what they are."""
    return rows if rows > most else min(max(_SMALLEST_BUCKET, 1 << (rows - 1).bit_length()), most)


def buckets(most: int) -> list[int]:
    """All that `bucket` answers for up to so many rows."""
    found = [_SMALLEST_BUCKET] if most > _SMALLEST_BUCKET else []
    while found and 2 * found[-1] < most:
        found.append(2 * found[-1])
    return [*found, most]


class Buffers:
    """Arrays that runs which come one after the other write their inputs into: fresh ones would cost more than filling them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, tuple[int, ...]], Array] = {}

    def of(self, name: str, values: Array, size: int) -> Array:
        """``size`` rows for an input that is like ``values`` but for its length; they hold what was written last."""
        key = name, values.dtype.str, values.shape[1:]
        kept = self._kept.get(key)
        if kept is None or len(kept) < size:
            kept = self._kept[key] = np.zeros((size, *values.shape[1:]), values.dtype)
        return kept[:size]


def joined(parts: Sequence[Feeds], rows: int, size: int, buffers: Buffers | None = None) -> Feeds:
    """Feeds of ``size`` rows: the ``rows`` of some callers, then the last one again.

    Args:
        parts: Of the callers.
        rows: That they have together.
        size: That the run is to have.
        buffers: To write into, where no run that does is still under way.
    """
    first = parts[0]
    if len(parts) == 1 and rows == size:
        return first
    table: dict[str, Array] = {}
    for name, values in first.items():
        buffer = table[name] = (buffers or Buffers()).of(name, values, size)
        np.concatenate([part[name] for part in parts], out=buffer[:rows])
        if rows:
            # A real row is one that the model can take.
            buffer[rows:] = buffer[rows - 1]
    return table
