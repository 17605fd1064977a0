"""How each candidate goes with each of some items, by the models of the bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle, Factors, ItemItem
from vitrine.content.model import Vectors
from vitrine.features.scale import Column32
from vitrine.features.vectors import Gathered, content_of, gather
from vitrine.plugin import Batch

Rows = npt.NDArray[np.int32]


class Neighbours(NamedTuple):
    """Item-item models, which are looked into side by side.

    Attributes:
        places: The place of each of t models among the names asked for.
        models: The models.
    """

    places: list[int]
    models: list[ItemItem]


class Dense(Protocol):
    """A way in which nearly every item has something to say of every candidate."""

    @property
    def live(self) -> bool:
        """Whether items go by rows of the catalogue; otherwise by rows of the bundle."""
        ...

    @property
    def leads(self) -> float:
        """Above that an item leads to a candidate."""
        ...

    def between(self, rows: Rows, own: slice) -> Column32:
        """``float32[h, m]`` for h items and the m candidates of a query; NaN for one of which it says nothing."""
        ...


def neighbours(bundle: AttachedBundle | None, names: Sequence[str]) -> Neighbours:
    """What the bundle has of some item-item models: "follows", "co_visitation", "linear"."""
    found = Neighbours([], [])
    if bundle is not None:
        parts = bundle.bundle
        known = {"follows": parts.follows, "co_visitation": parts.co_visitation, "linear": parts.linear}
        for place, name in enumerate(names):
            model = known.get(name)
            if model is not None:
                found.places.append(place)
                found.models.append(model)
    return found


def dense(batch: Batch, bundle: AttachedBundle | None, names: Sequence[str]) -> list[tuple[int, Dense]]:
    """What the bundle has of "factors" and "content", and the place of each among the names asked for."""
    found: list[tuple[int, Dense]] = []
    if bundle is None:
        return found
    if "factors" in names and bundle.bundle.factors is not None:
        found.append((names.index("factors"), _Factors(bundle.bundle.factors, batch.items.bundle_rows)))
    vectors = bundle.content if "content" in names else None
    if vectors is not None and len(vectors):
        theirs = content_of(batch, bundle)
        if theirs is not None:
            found.append((names.index("content"), _Cosines(vectors, theirs)))
    return found


@dataclass(frozen=True, slots=True)
class _Factors:
    """Products of factors."""

    model: Factors
    candidates: Rows
    live = False
    leads = 0.0

    def between(self, rows: Rows, own: slice) -> Column32:
        """As `Dense.between`."""
        candidates = self.candidates[own]
        found = self.model.between(rows, candidates)
        found[:, candidates < 0] = np.nan
        return found


@dataclass(frozen=True, slots=True)
class _Cosines:
    """Cosines of content vectors, which have unit length or are zero."""

    vectors: Vectors
    theirs: Gathered
    live = True
    # Everything resembles everything a little.
    leads = 0.5

    def between(self, rows: Rows, own: slice) -> Column32:
        """As `Dense.between`."""
        found: Column32 = gather(self.vectors, rows) @ self.theirs.vectors[own].T
        blank = self.theirs.blank
        if len(blank):
            found[:, blank[(blank >= own.start) & (blank < own.stop)] - own.start] = np.nan
        return found
