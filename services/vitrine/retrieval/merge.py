"""One list of candidates out of the lists of the sources."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.bundle.scratch import order_of
from vitrine.catalog.columns import Rows
from vitrine.domain.candidates import Candidates, RowIds
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.sources import Found

_NO_ROWS: Rows = np.empty(0, np.int32)
# The place of what no source found; so far down none finds anything.
_LAST = 1 << 24


def merge(
    names: Sequence[str],
    lists: Sequence[Found],
    item_ids: Sequence[str],
    tie: npt.NDArray[np.uint64],
    limit: int,
    popularity: Popularity,
    time: float,
    include: Rows = _NO_ROWS,
) -> Candidates:
    """The union of what s sources found, fairly interleaved, cut to ``limit``.

    First come all first places, then all second places, and so on; within a place, what more sources found comes
    first, then what the tie-breaker says.

    Args:
        names: s names.
        lists: s lists, best first.
        item_ids: Identifiers by row.
        tie: ``uint64[n]`` by row.
        limit: How many at most.
        popularity: Tells how popular each candidate is, whichever source found it.
        time: The moment to answer for, Unix seconds.
        include: ``int32[i]``, rows that come too, after the others and beyond the limit.
    """
    sources, sizes = len(lists), np.array([len(f.rows) for f in lists], np.int64)
    rows, place = _distinct(np.concatenate([*(f.rows for f in lists), include]))
    source = np.arange(sources).repeat(sizes)
    place = place[: len(source)]
    rank = np.arange(len(source)) - (sizes.cumsum() - sizes).take(source)
    best_rank = np.full(len(rows), _LAST)
    np.minimum.at(best_rank, place, rank)
    # One number for two keys: by place, then by how many sources lack the item.
    key = (best_rank + 1) * (sources + 1) - np.bincount(place, minlength=len(rows))
    by_tie = tie.take(rows).argsort()
    order = by_tie.take(order_of(key.take(by_tie).astype(np.int32)))
    order, more = order[:limit], order[limit:]
    if len(include):
        order = np.concatenate((order, more[np.isin(rows[more], include)]))
    scores = np.full(len(rows) * sources, np.nan, np.float32)
    scores[place * sources + source] = np.concatenate([f.scores for f in lists] or [np.empty(0, np.float32)])
    # A sum of powers of two, each once: exact.
    masks = np.bincount(place, np.ldexp(1.0, source), len(rows)).astype(np.uint32)
    kept = rows[order]
    shares, trend = popularity.signals(kept, time)
    return Candidates(
        RowIds(item_ids, kept),
        tuple(names),
        masks[order],
        scores.reshape(len(rows), sources).take(order, axis=0),
        popularity=shares,
        trend=trend,
        rows=kept,
    )


def _distinct(rows: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
    """The rows without repeats, ascending, and of each where it is among those."""
    order = order_of(rows)
    ascending = rows.take(order)
    first = np.empty(len(rows), np.bool_)
    first[:1] = True
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    place = np.empty(len(rows), np.int64)
    place[order] = first.cumsum() - 1
    return ascending[first], place
