"""One list of candidates out of the lists of the sources."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Rows
from vitrine.domain.candidates import Candidates
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.sources import Found

_NO_ROWS: Rows = np.empty(0, np.int32)


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
    sources = len(lists)
    rows, place = np.unique(np.concatenate([*(f.rows for f in lists), include]), return_inverse=True)
    sizes = [len(f.rows) for f in lists]
    place = place[: sum(sizes)]
    source = np.repeat(np.arange(sources), sizes)
    rank = np.concatenate([np.arange(size) for size in sizes] or [np.empty(0, np.int64)])
    scores = np.full((len(rows), sources), np.nan, np.float32)
    scores[place, source] = np.concatenate([f.scores for f in lists] or [np.empty(0, np.float32)])
    best_rank = np.full(len(rows), np.iinfo(np.int32).max)
    np.minimum.at(best_rank, place, rank)
    # One number for two keys: by place, then by how many sources lack the item.
    key = best_rank * (sources + 1) - np.bincount(place, minlength=len(rows))
    order = np.lexsort((tie.take(rows), key))
    wanted = np.isin(rows[order[limit:]], include)
    order = np.concatenate([order[:limit], order[limit:][wanted]])
    scores = scores.take(order, axis=0)
    masks = (~np.isnan(scores) @ (1 << np.arange(sources, dtype=np.uint32))).astype(np.uint32)
    kept = rows[order]
    chosen = kept.tolist()
    ids = itemgetter(*chosen)(item_ids) if len(chosen) > 1 else [item_ids[row] for row in chosen]
    return Candidates(
        list(ids),
        tuple(names),
        masks,
        scores,
        popularity=popularity.shares(kept).astype(np.float32),
        trend=popularity.trend(kept, time),
        rows=kept.astype(np.int32, copy=False),
    )
