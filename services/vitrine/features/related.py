"""How each candidate goes with each of some items, by the models of the bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle, Factors, ItemItem
from vitrine.content.model import Vectors
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

Rows = npt.NDArray[np.int32]


class Summed(NamedTuple):
    """``[m]``: of h items' weights for each candidate the largest, the mean, and the share that leads to it."""

    largest: Column32
    mean: Column32
    share: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Relation:
    """One way in which items go together.

    Attributes:
        name: How columns call it.
        between: ``float32[h, m]`` for h items and m candidates; NaN for a candidate of which it says nothing.
        live: Whether it goes by rows of the catalogue; otherwise by rows of the bundle. Rows of −1 are unknown.
    """

    name: str
    between: Callable[[Rows, Rows], Column32]
    live: bool = False

    def summed(self, rows: Rows, candidates: Rows) -> Summed:
        """What h items, one at least, say of m candidates together; NaN for one of which it says nothing."""
        if isinstance(self.between, _Neighbours):
            return self.between.summed(rows, candidates)
        weights = self.between(rows, candidates)
        largest = weights.max(axis=0)
        above = (weights > (0.5 if self.live else 0.0)).view(np.uint8)
        # Bytes add up far quicker, as long as they hold the sum.
        kind = np.uint8 if len(rows) < 256 else np.int64
        leads = np.add.reduce(above, axis=0, dtype=kind) / len(rows)
        return Summed(largest, weights.mean(axis=0), np.where(np.isnan(largest), np.nan, leads))


def relations(bundle: AttachedBundle | None) -> tuple[Relation, ...]:
    """What the bundle has of co-visitation, the linear model, what follows what, factors, and content."""
    if bundle is None:
        return ()
    parts = bundle.bundle
    models = (("follows", parts.follows), ("co_visitation", parts.co_visitation), ("linear", parts.linear))
    found = [Relation(name, _Neighbours(model)) for name, model in models if model is not None]
    if parts.factors is not None:
        found.append(Relation("factors", _Factors(parts.factors)))
    vectors = bundle.content
    if vectors is not None and len(vectors):
        found.append(Relation("content", _Cosines(vectors), live=True))
    return tuple(found)


def candidates_of(batch: Batch, query: int, relation: Relation) -> Rows:
    """The candidates of a query as a relation knows them."""
    rows = batch.items.rows if relation.live else batch.items.bundle_rows
    return rows[int(batch.offsets[query]) : int(batch.offsets[query + 1])]


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Weights of an item-item model; 0 where an item does not lead to a candidate."""

    model: ItemItem

    def __call__(self, rows: Rows, candidates: Rows) -> Column32:
        found = self.model.between(rows, candidates)
        found[:, candidates < 0] = np.nan
        return found

    def summed(self, rows: Rows, candidates: Rows) -> Summed:
        """As `Relation.summed`; the mean is rounded once."""
        largest, total, counts = self.model.summed(rows, candidates)
        unknown = candidates < 0
        mean, share = (total / len(rows)).astype(np.float32), counts / len(rows)
        for column in (largest, mean, share):
            column[unknown] = np.nan
        return Summed(largest, mean, share)


@dataclass(frozen=True, slots=True)
class _Factors:
    """Products of factors."""

    model: Factors

    def __call__(self, rows: Rows, candidates: Rows) -> Column32:
        found = self.model.between(rows, candidates)
        found[:, candidates < 0] = np.nan
        return found


@dataclass(frozen=True, slots=True)
class _Cosines:
    """Cosines of content vectors, which have unit length or are zero."""

    vectors: Vectors

    def __call__(self, rows: Rows, candidates: Rows) -> Column32:
        theirs = self._of(candidates)
        found: Column32 = self._of(rows) @ theirs.T
        # The first number is seldom exactly zero: few vectors have to be looked at whole.
        odd = np.flatnonzero(theirs[:, 0] == 0)
        found[:, odd[~theirs[odd].any(axis=1)]] = np.nan
        return found

    def _of(self, rows: Rows) -> Vectors:
        known = (rows >= 0) & (rows < len(self.vectors))
        if known.all():
            return self.vectors[rows]
        found = self.vectors[np.where(known, rows, 0)]
        found[~known] = 0
        return found
