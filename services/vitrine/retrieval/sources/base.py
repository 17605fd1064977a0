"""What a source is."""

from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Rows
from vitrine.domain.answer import DegradationCode
from vitrine.retrieval.best import best, likely_bound
from vitrine.retrieval.query import Scores, SourceQuery

Floats = npt.NDArray[np.floating]


class Found(NamedTuple):
    """``int32[k]`` rows without repeats, best first, and their ``float32[k]`` scores, all above 0."""

    rows: Rows
    scores: Scores


NOTHING = Found(np.empty(0, np.int32), np.empty(0, np.float32))


class SourceOff(Exception):
    """A source cannot answer, and that is no fault: it lacks the data, or the request lacks what it starts from."""

    def __init__(self, message: str, code: DegradationCode = DegradationCode.OFF) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Source(Protocol):
    """Finds candidates. Any thread may call it; it keeps nothing between calls."""

    name: ClassVar[str]

    def find(self, query: SourceQuery, limit: int) -> Found:
        """At most ``limit`` allowed rows, best first.

        Raises:
            SourceOff: It lacks what it needs; the message says what.
        """
        ...


def ranked(
    rows: Rows, scores: Floats, query: SourceQuery, limit: int, catalog_rows: Rows | None = None
) -> Found:
    """The best of some rows that are allowed and have a score above 0.

    Args:
        rows: ``int32[k]`` without repeats; −1 for items that the catalogue lacks.
        scores: ``float[k]``.
        query: The request.
        limit: How many.
        catalog_rows: ``int32[b]``, where ``rows`` are those of the bundle: what each is in the catalogue. It is looked
            up only of those that may be among the best.
    """
    bound = likely_bound(scores, limit)
    if bound > 0:
        likely = (scores >= bound).nonzero()[0]
        found = _allowed(rows.take(likely), scores.take(likely), query, catalog_rows)
        if len(found[0]) >= limit:
            return ordered(*found, query, limit)
    return ordered(*_allowed(rows, scores, query, catalog_rows), query, limit)


def ordered(rows: Rows, scores: Floats, query: SourceQuery, limit: int) -> Found:
    """The best of some rows, all of which are allowed and have a score above 0; as `ranked`."""
    order = best(scores, query.columns.tie, limit, rows)
    return Found(rows.take(order), scores.take(order).astype(np.float32, copy=False))


def _allowed(
    rows: Rows, scores: Floats, query: SourceQuery, catalog_rows: Rows | None
) -> tuple[Rows, Floats]:
    if catalog_rows is not None:
        rows = catalog_rows.take(rows)
    keep = scores > 0
    keep &= rows >= 0
    keep &= rows < len(query.allowed)
    # `take` is several times quicker than brackets where rows are int32; what it clips is out already.
    keep &= query.allowed.take(rows, mode="clip")
    kept = keep.nonzero()[0]
    return rows.take(kept), scores.take(kept)
