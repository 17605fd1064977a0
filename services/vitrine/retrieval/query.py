"""What retrieval is asked, and what its sources see of that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog, Columns
from vitrine.catalog.columns import Mask, Rows
from vitrine.catalog.selections import Selection
from vitrine.content.model import Vectors
from vitrine.domain.known_rows import rows_of
from vitrine.domain.lazy import lazy
from vitrine.domain.profile import Profile
from vitrine.domain.recent import latest
from vitrine.domain.request import NO_CONTEXT, NO_FILTERS, Context, Filters
from vitrine.interest import Interests
from vitrine.retrieval.best import best

Scores = npt.NDArray[np.float32]

# Weights beyond this are scaled before they are summed: their squares would leave float32.
_LARGE = 1e12


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """A question for candidates.

    Attributes:
        request_time: The moment to answer for, Unix seconds UTC.
        profile: What is known of the shopper.
        context: What the shopper is looking at.
        filters: Which items may come.
        scene: The scene whose sources are asked; may be empty when ``sources`` are given.
        sources: Sources to ask instead, and how many candidates to take from each.
        limit: Candidates in all; 0 for the scene's number.
        bundle: Version of the bundle to use, if it is still there; "" for what is served now.
        include: Items that come too, at the end, found or not, allowed or not.
    """

    request_time: float
    profile: Profile = field(default_factory=Profile)
    context: Context = NO_CONTEXT
    filters: Filters = NO_FILTERS
    scene: str = ""
    sources: Mapping[str, int] | None = None
    limit: int = 0
    bundle: str = ""
    include: tuple[str, ...] = ()


class Seeds(NamedTuple):
    """Items to start from: ``int32[h]`` rows and ``float64[h]`` how much each counts, the most first."""

    rows: Rows
    weights: npt.NDArray[np.float64]


class Recent(NamedTuple):
    """The latest r events, oldest first, those of the context last.

    ``int32[r]`` rows (−1: not in the catalogue), ``int32[r]`` steps (0 for the latest), ``bool[r]`` whether each belongs
    to the visit that goes on.
    """

    rows: Rows
    steps: npt.NDArray[np.int32]
    visit: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SourceQuery:
    """One request as all its sources see it: taken once, so that they agree on what exists.

    Attributes:
        time: The moment to answer for, Unix seconds UTC.
        profile: What is known of the shopper.
        context: What the shopper is looking at.
        catalog: The catalogue, for what is no column.
        revision: Its revision, read before the columns: they are at least as new.
        columns: Its n rows.
        allowed: ``bool[n]``, rows that may be answered.
        selection: What the filters leave; nothing else is allowed.
        bundle: The models, if any.
        max_seeds: How many items of the history to start from.
        visit_gap: A pause of more than so many seconds ends a visit.
    """

    time: float
    profile: Profile
    context: Context
    catalog: Catalog
    revision: int
    columns: Columns
    allowed: Mask
    selection: Selection
    bundle: AttachedBundle | None
    max_seeds: int
    visit_gap: float = math.inf

    def rows(self, item_ids: Sequence[str]) -> Rows:
        """``int32[m]``: rows of the items of a profile or a context; −1 for one that is not among the columns."""
        rows = rows_of(self.catalog, item_ids)
        return np.where(rows < len(self.columns), rows, np.int32(-1))

    @lazy
    def interests(self) -> Interests | None:
        """What the shopper is interested in; ``None`` without a model that tells it.

        Raises:
            InferenceError: The model failed or answered NaN.
            InferenceTimeout: It took too long.
        """
        bundle = self.bundle
        return None if bundle is None else bundle.interests((self.profile,), (self.context,), self.time)

    @property
    def interests_asked(self) -> Vectors | None:
        """``float32[3, d]``: the interests, if a source has asked for them."""
        found = vars(self).get("interests")
        return None if found is None else np.concatenate(found)

    @lazy
    def history(self) -> Rows:
        """``int32[h]``: rows of the items of the profile; −1 for one that is not among the columns."""
        return self.rows(self.profile.items.item_ids)

    @lazy
    def recent(self) -> Recent:
        """The latest events in order."""
        found = latest(self.profile, self.context, self.time, self.visit_gap)
        rows = np.concatenate(
            (
                self.rows(self.profile.recent.item_ids)[found.places],
                self.rows(self.context.basket),
                self.rows(self.context.item_ids),
            )
        )
        return Recent(rows, np.arange(len(rows) - 1, -1, -1, dtype=np.int32), found.visit)

    @lazy
    def seeds(self) -> Seeds:
        """The items of the context that exist, else those of the history by interest as of now, long and short."""
        n = len(self.columns)
        if self.context.seeds:
            rows = self.catalog.rows(self.context.seeds, n)
            rows = rows[rows >= 0]
            if len(rows):
                rows = rows[np.sort(np.unique(rows, return_index=True)[1])]
                return Seeds(rows, np.ones(len(rows)))
        interest = self.profile.interest(self.time) + self.profile.interest(self.time, short=True)
        # More than are needed, because some may have left the catalogue; the history is bounded anyway.
        # The most recent item stands last: of equally interesting ones it comes first.
        order = best(interest, np.arange(len(interest), 0, -1).astype(np.uint64), 2 * self.max_seeds)
        rows = self.history[order]
        keep = ((rows >= 0) & (interest[order] > 0)).nonzero()[0][: self.max_seeds]
        return Seeds(rows[keep], interest[order[keep]])

    @lazy
    def direction(self) -> Vectors | None:
        """``float32[d]``: where the seeds lie together by text, of length 1, zeros where none has a vector.

        ``None`` without content vectors.
        """
        vectors = None if self.bundle is None else self.bundle.content
        if vectors is None:
            return None
        return toward(vectors, *self.seeds)


def toward(vectors: Vectors, rows: Rows, weights: npt.NDArray[np.float64]) -> Vectors:
    """``float32[d]``: where some items lie together, of length 1; zeros where none has a vector."""
    if len(rows) and (largest := np.abs(weights).max()) > _LARGE:
        weights = weights / largest
    target: Vectors = (weights.astype(np.float32) @ vectors[rows]) if len(rows) else vectors[:0].sum(0)
    length = np.sqrt(target @ target)
    return target / length if length > 0 else target
