"""Candidates of several requests as one table, so that they can be ranked together."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from vitrine.domain.candidates import Candidates


def combine(parts: Sequence[Candidates]) -> tuple[Candidates, npt.NDArray[np.int64]]:
    """The candidates of q requests one after the other.

    The requests may have asked different sources: the table has all of them, a source that a request did not ask
    being one that found nothing.

    Args:
        parts: The candidates of each request.

    Returns:
        The table, and ``int64[q + 1]`` offsets of the requests in it.
    """
    names = tuple(dict.fromkeys(chain.from_iterable(part.source_names for part in parts)))
    offsets = np.cumsum([0] + [len(part) for part in parts], dtype=np.int64)
    scores = np.full((int(offsets[-1]), len(names)), np.nan, np.float32)
    masks = np.zeros(len(scores), np.uint32)
    for part, start, end in zip(parts, offsets[:-1], offsets[1:], strict=True):
        for source, name in enumerate(part.source_names):
            column = names.index(name)
            scores[start:end, column] = part.scores[:, source]
            masks[start:end] |= (part.masks >> np.uint32(source) & np.uint32(1)) << np.uint32(column)
    ids = [item_id for part in parts for item_id in part.item_ids]
    popularity, trend = (
        _signal([getattr(part, name) for part in parts], np.diff(offsets)) for name in ("popularity", "trend")
    )
    rows = np.concatenate([np.empty(0, np.int32), *(part.rows for part in parts)])
    return Candidates(
        ids, names, masks, scores, popularity, trend, rows if len(rows) == len(ids) else rows[:0]
    ), offsets


def _signal(
    parts: Sequence[npt.NDArray[np.float32]], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """One column out of those of the requests; NaN for those that were not told."""
    return np.concatenate(
        [
            part if len(part) == size else np.full(size, np.nan, np.float32)
            for part, size in zip(parts, sizes, strict=True)
        ]
    )
