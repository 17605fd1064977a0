"""Highest products with a vector: of few items or a few allowed ones exactly, of many by inverted lists."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from vitrine.bundle.near import Made
from vitrine.catalog.columns import Mask, Rows
from vitrine.catalog.selections import Selection
from vitrine.content.model import Vectors
from vitrine.retrieval.best import likely_bound

# Products of equal vectors differ in the last bits by where they stand in memory; rounded, they are equal.
_GRID = np.float32(2.0**18)
_MARGIN = 2 / _GRID
# A row picked from among all others costs as much as so many that lie together.
_SCATTERED = 8

Ints = npt.NDArray[np.int64]


class Chosen(Protocol):
    """What is needed of a request; `vitrine.retrieval.query.SourceQuery` has it."""

    @property
    def allowed(self) -> Mask:
        """``bool[n]``, rows that may be found."""
        ...

    @property
    def selection(self) -> Selection:
        """What the filters leave; nothing else is allowed."""
        ...


def nearest(
    vectors: Vectors, target: Vectors, query: Chosen, limit: int, made: Made | None = None
) -> tuple[Rows, Vectors]:
    """Allowed rows, the ``limit`` with the highest products among them, and the products.

    Filters work inside the search: narrow ones make it cheaper, never shorter.

    Args:
        vectors: ``float32[m, d]`` by row.
        target: ``float32[d]``.
        query: What is allowed.
        limit: How many.
        made: Lists of the vectors, where there are so many; without them everything is looked through.
    """
    n = len(vectors)
    allowed = query.allowed[:n]
    rows: npt.NDArray[np.integer]
    if made is not None and (narrow := query.selection.rows) is not None:
        rows = _within(narrow, allowed)
        scores = vectors[rows] @ target
    elif made is not None:
        rows, scores = _listed(made, vectors, target, query, limit)
    elif np.count_nonzero(allowed) <= n // 4:
        rows = np.flatnonzero(allowed)
        scores = vectors[rows] @ target
    else:
        # Everything at once is quicker than picking most rows.
        everything = vectors @ target
        rows = _contenders(everything, allowed, limit)
        scores = everything[rows]
    if len(rows) > limit:
        # Rounded after the choice, with a margin for it: rounding all of them would cost more than the rest.
        chosen = (scores >= np.partition(scores, -limit)[-limit] - _MARGIN).nonzero()[0]
        rows, scores = rows.take(chosen), scores.take(chosen)
    return rows.astype(np.int32, copy=False), np.asarray((scores * _GRID).round() / _GRID, np.float32)


def _contenders(scores: Vectors, allowed: Mask, limit: int) -> Ints:
    """Allowed rows, in order, that hold the ``limit`` best and all within the margin of them."""
    bound = likely_bound(scores, limit * len(scores) // int(np.count_nonzero(allowed)))
    # Compared first and looked up then: a pass over the scores costs less than one over the mask.
    rows = np.flatnonzero(scores >= bound - _MARGIN)
    rows = rows[allowed[rows]]
    return rows if np.count_nonzero(scores[rows] >= bound) >= limit else np.flatnonzero(allowed)


def _listed(made: Made, vectors: Vectors, target: Vectors, query: Chosen, limit: int) -> tuple[Rows, Vectors]:
    """Rows that hold most of the ``limit`` best, and their products; all that is allowed where that is less.

    Lists with nothing allowed in them are passed over, and more are looked into until there are enough rows. What is
    newer than the lists is looked through.
    """
    lists, allowed, settled = made.lists, query.allowed[: len(vectors)], made.settled
    counts, filled, total = query.selection.counts(lists)
    wanted = lists.enough(limit, total, int(counts[-1]))
    if _SCATTERED * query.selection.count * len(counts) < wanted * len(vectors):
        rows = np.flatnonzero(allowed).astype(np.int32)
        return rows, vectors[rows] @ target
    while True:
        chosen = lists.promising(target, wanted, filled)
        scanned = lists.scan(target, chosen)
        hoped = max(int(counts.take(chosen).sum()), 1)
        bound = likely_bound(scanned.scores, limit * len(scanned.scores) // hoped)
        at = (scanned.scores >= bound - _MARGIN).nonzero()[0]
        rows, scores = _fresh(made, allowed, settled, lists.rows(scanned, at), scanned.scores.take(at))
        if np.count_nonzero(scores >= bound) < limit:
            at = np.arange(len(scanned.scores))
            rows, scores = _fresh(made, allowed, settled, lists.rows(scanned, at), scanned.scores)
        # After the lists: what they do not have as it is stands here, and once where it was marked meanwhile.
        late = made.changed
        if len(late) > settled:
            once = ~np.isin(rows, late[settled:])
            rows, scores = rows[once], scores[once]
        if len(late) or len(vectors) > len(lists):
            changed = _within(late, allowed)
            # Looked up once: cells may change at any moment.
            newer = np.flatnonzero(allowed[len(lists) :])
            newest = (vectors[len(lists) :] @ target)[newer]
            rows = np.concatenate((rows, changed, (newer + len(lists)).astype(np.int32)))
            scores = np.concatenate((scores, vectors[changed] @ target, newest))
        if len(rows) >= limit or len(chosen) == len(filled):
            return rows, scores
        wanted *= 4


def _fresh(made: Made, allowed: Mask, settled: int, rows: Rows, scores: Vectors) -> tuple[Rows, Vectors]:
    """Those that are allowed, and whose vectors the lists had as they are when so many changes were settled."""
    if len(allowed) < len(made.lists):
        keep = allowed.take(rows, mode="clip") & (rows < len(allowed))
    else:
        keep = allowed.take(rows)
    if settled:
        keep &= ~made.stale.take(rows)
    kept = keep.nonzero()[0]
    return rows.take(kept), scores.take(kept)


def _within(rows: Rows, allowed: Mask) -> Rows:
    rows = rows[rows < len(allowed)]
    return rows[allowed[rows]]
