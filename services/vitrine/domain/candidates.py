"""Candidates between retrieval and ranking, as columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import Degradation, Reason, Versions
from vitrine.domain.stages import Stage
from vitrine.domain.trace import Trace


def _unknown() -> npt.NDArray[np.float32]:
    return np.empty(0, np.float32)


def _not_told() -> npt.NDArray[np.int32]:
    return np.empty(0, np.int32)


class RowIds(Sequence[str]):
    """The identifiers of n rows, looked up when they are asked for: of hundreds of candidates a window names twenty.

    Args:
        ids: Identifiers by row; those that are there never change.
        rows: ``int32[n]``.
    """

    __slots__ = ("_ids", "_rows")

    def __init__(self, ids: Sequence[str], rows: npt.NDArray[np.int32]) -> None:
        self._ids = ids
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return map(self._ids.__getitem__, self._rows.tolist())

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> "RowIds": ...
    def __getitem__(self, at: int | slice) -> "str | RowIds":
        if isinstance(at, slice):
            return RowIds(self._ids, self._rows[at])
        return self._ids[int(self._rows[at])]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(list(self))


@dataclass(frozen=True, slots=True)
class Candidates:
    """n candidates found by s sources.

    Attributes:
        item_ids: n identifiers without repeats.
        source_names: The s sources that were asked.
        masks: ``uint32[n]``; bit j tells that source j found the item.
        scores: ``float32[n, s]``; NaN where a source did not find the item.
        popularity: ``float32[n]``, interest of all shoppers in each item as a share of the most popular one's, whichever
            source found it; empty when retrieval did not tell.
        trend: ``float32[n]``, log2 of the latest interest ÷ the usual one, 0 when nothing changed, NaN when nobody
            cared; empty when retrieval did not tell.
        rows: ``int32[n]``, rows of the catalogue of this process, which say the same as ``item_ids``; empty where they
            are not known. Never sent anywhere.
    """

    item_ids: Sequence[str]
    source_names: tuple[str, ...]
    masks: npt.NDArray[np.uint32]
    scores: npt.NDArray[np.float32]
    popularity: npt.NDArray[np.float32] = field(default_factory=_unknown)
    trend: npt.NDArray[np.float32] = field(default_factory=_unknown)
    rows: npt.NDArray[np.int32] = field(default_factory=_not_told)

    def __len__(self) -> int:
        return len(self.item_ids)

    @classmethod
    def of_items(cls, item_ids: Sequence[str]) -> Self:
        """Candidates that no source stands behind."""
        n = len(item_ids)
        return cls(item_ids, (), np.zeros(n, np.uint32), np.empty((n, 0), np.float32))


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What retrieval answers.

    Attributes:
        candidates: The candidates.
        catalog_revision: Revision of the catalogue they were taken from.
        versions: What they were found with.
        degraded: What was missing.
        stages: Where the time went.
        interests: ``float32[3, d]``, what the shopper is interested in (short, long and both) as the bundle's model reads
            it; ``None`` where no source asked for it.
    """

    candidates: Candidates
    catalog_revision: int
    versions: Versions
    degraded: tuple[Degradation, ...] = ()
    stages: tuple[Stage, ...] = ()
    interests: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class RankedList:
    """One ordered list of m items out of a query's candidates.

    Attributes:
        positions: ``int64[m]``, positions in the query's candidates, best first.
        scores: ``float32[m]``, final scores.
        component_scores: ``float32[m, c]``; NaN where a component had nothing to say.
        reasons: Why each item is there.
        trace: How the order came about, when it was asked for.
    """

    positions: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    component_scores: npt.NDArray[np.float32]
    reasons: Sequence[Reason]
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """What ranking answers: one list per query, the names of the component columns, and where the time went."""

    lists: Sequence[RankedList]
    score_names: tuple[str, ...]
    versions: Versions
    degraded: tuple[Degradation, ...] = ()
    stages: tuple[Stage, ...] = ()
