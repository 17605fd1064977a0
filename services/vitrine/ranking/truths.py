"""When a reason is true of an item: what a shopper is told must hold, whatever counted in the score."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import ReasonCode
from vitrine.domain.lazy import lazy
from vitrine.domain.profile import DAY
from vitrine.hosting import Calls
from vitrine.plugin import Batch
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.reasons import FITTING_SOURCES
from vitrine.ranking.speakers import speakers

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

# An item with a tenth of the bestseller's interest is popular, whichever source found it.
POPULAR_SHARE = 0.1
# One that is wanted half as much again as usual is trending, unless hardly anybody ever wanted it.
TRENDING_LOG2, TRENDING_SHARE = 0.585, 0.05

_PERSONAL = {ReasonCode.CO_VISITATION, ReasonCode.SIMILAR_CONTENT, ReasonCode.TASTE}
# Columns that are above 0 for what the shopper has turned to, itself or its like.
_LIKED = ("history.long_share", "taste.top_category", "taste.brand")


class Truths:
    """Tells which reasons are true of m candidates of one query. Each is looked at once, when it is first asked for.

    Args:
        index: Which query of the batch.
        query: That query.
        batch: The batch.
        positions: ``int64[m]``, candidates of the batch, which belong to the query.
        calls: How rankers are asked which item of the history speaks for a candidate.
        new_days: How long an item is new.
    """

    def __init__(
        self,
        index: int,
        query: ShopperQuery,
        batch: Batch,
        positions: Positions,
        calls: Calls,
        new_days: float,
    ) -> None:
        self._index = index
        self._query = query
        self._batch = batch
        self._positions = positions
        self._calls = calls
        self._new_seconds = new_days * DAY
        self._speakers: dict[ReasonCode, npt.NDArray[np.int64]] = {}

    def holds(self, code: ReasonCode) -> Mask:
        """``bool[m]``: whether a reason is true of the candidates."""
        batch, positions = self._batch, self._positions
        match code:
            case ReasonCode.POPULAR:
                return self._found_by("popular") | (batch.items.popularity[positions] >= POPULAR_SHARE)
            case ReasonCode.TRENDING:
                rising = batch.items.trend[positions] >= TRENDING_LOG2
                return self._found_by("trending") | (
                    rising & (batch.items.popularity[positions] >= TRENDING_SHARE)
                )
            case ReasonCode.BOUGHT_AGAIN:
                return batch.features.column("history.purchases")[positions] > 0
            case ReasonCode.NEW_ARRIVAL:
                created = batch.items.created[positions]
                age = batch.request_time - created
                return (created > 0) & (age >= 0) & (age <= self._new_seconds)
            case ReasonCode.SEARCH_MATCH:
                return self._found_by("search") & bool(self._query.context.query.strip())
            case ReasonCode.CO_VISITATION | ReasonCode.SIMILAR_CONTENT:
                return self.speakers(code) >= 0
            case ReasonCode.TASTE:
                return self._fits()

    def speakers(self, code: ReasonCode) -> npt.NDArray[np.int64]:
        """``int64[m]``: rows of the query's history that speak for the candidates, −1 for none."""
        known = self._speakers.get(code)
        if known is None:
            known = speakers(self._index, code, self._batch, self._positions, self._calls)
            self._speakers[code] = known
        return known

    def _found_by(self, source: str) -> Mask:
        names = self._batch.source_names
        if source not in names:
            return np.zeros(len(self._positions), np.bool_)
        found: Mask = self._found[:, names.index(source)]
        return found

    @lazy
    def _found(self) -> Mask:
        """``bool[m, s]``: which sources found them."""
        return ~np.isnan(self._batch.source_scores[self._positions])

    def _fits(self) -> Mask:
        """What the shopper has turned to, its like, what goes with it, or what a personal ranker puts into the better half."""
        batch, positions = self._batch, self._positions
        fits = np.zeros(len(positions), np.bool_)
        if self._query.profile.event_count == 0 and not self._query.context.seeds:
            return fits
        for source in FITTING_SOURCES:
            fits |= self._found_by(source)
        for name in _LIKED:
            fits |= batch.features.column(name)[positions] > 0
        for scores, own in self._personal():
            if fits.all():
                break
            fits |= scores[positions] > _middle(own)
        return fits

    def _personal(self) -> Iterator[tuple[Scores, Scores]]:
        """Scores of the personal rankers: of the batch, and of this query."""
        start, end = self._batch.offsets[self._index : self._index + 2].tolist()
        for name, scores in self._batch.scores.items():
            if self._calls.rankers.ready[name].reason in _PERSONAL:
                yield scores, scores[start:end]


def _middle(scores: Scores) -> float:
    """The median of what was said, which `numpy.nanmedian` takes ten times as long for; NaN where nothing was."""
    known = scores[~np.isnan(scores)]
    half, odd = divmod(len(known), 2)
    if not len(known):
        return math.nan
    known.partition(half if odd else (half - 1, half))
    return float(known[half]) if odd else (float(known[half - 1]) + float(known[half])) / 2
