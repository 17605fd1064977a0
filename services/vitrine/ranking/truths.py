"""When a reason is true of an item: what a shopper is told must hold, whatever counted in the score."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import ReasonCode
from vitrine.domain.profile import DAY
from vitrine.hosting import Calls
from vitrine.plugin import Batch
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.reasons import FITTING_SOURCES
from vitrine.ranking.speakers import speakers

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

# An item with a tenth of the bestseller's interest is popular, whichever source found it.
POPULAR_SHARE = 0.1
# One that is wanted half as much again as usual is trending, unless hardly anybody ever wanted it.
TRENDING_LOG2, TRENDING_SHARE = 0.585, 0.05

_PERSONAL = {ReasonCode.CO_VISITATION, ReasonCode.SIMILAR_CONTENT, ReasonCode.TASTE}
# Columns that are above 0 for what the shopper has turned to, itself or its like.
_LIKED = ("history.long_share", "taste.top_category", "taste.brand")
_NOT_ASKED = -2


class Truths:
    """Tells for the candidates of one query which reasons are true of them. Each is looked at when it is asked for.

    Args:
        index: Which query of the batch.
        query: That query.
        batch: The batch.
        calls: How rankers are asked which item of the history speaks for a candidate.
        new_days: How long an item is new.
    """

    def __init__(self, index: int, query: ShopperQuery, batch: Batch, calls: Calls, new_days: float) -> None:
        self._index = index
        self._query = query
        self._batch = batch
        self._calls = calls
        self._new_seconds = new_days * DAY
        self._speakers: dict[ReasonCode, npt.NDArray[np.int64]] = {}

    def holds(self, code: ReasonCode, positions: Positions) -> Mask:
        """``bool[m]``: whether a reason is true of m candidates of the batch, which belong to the query."""
        batch = self._batch
        popularity = batch.items.popularity[positions]
        match code:
            case ReasonCode.POPULAR:
                return self._found_by("popular", positions) | (popularity >= POPULAR_SHARE)
            case ReasonCode.TRENDING:
                rising = batch.items.trend[positions] >= TRENDING_LOG2
                return self._found_by("trending", positions) | (rising & (popularity >= TRENDING_SHARE))
            case ReasonCode.BOUGHT_AGAIN:
                return batch.features.column("history.purchases")[positions] > 0
            case ReasonCode.NEW_ARRIVAL:
                created = batch.items.created[positions]
                age = batch.request_time - created
                return (created > 0) & (age >= 0) & (age <= self._new_seconds)
            case ReasonCode.SEARCH_MATCH:
                typed = bool(self._query.context.query.strip())
                return self._found_by("search", positions) & typed
            case ReasonCode.CO_VISITATION | ReasonCode.SIMILAR_CONTENT:
                return self.speakers(code, positions) >= 0
            case ReasonCode.TASTE:
                return self._fits(positions)

    def speakers(self, code: ReasonCode, positions: Positions) -> npt.NDArray[np.int64]:
        """``int64[m]``: rows of the query's history that speak for the candidates, −1 for none."""
        known = self._speakers.setdefault(code, np.full(len(self._batch.items.ids), _NOT_ASKED))
        new = positions[known[positions] == _NOT_ASKED]
        if len(new):
            known[new] = speakers(self._index, code, self._batch, new, self._calls)
        return known[positions]

    def _found_by(self, source: str, positions: Positions) -> Mask:
        batch = self._batch
        if source not in batch.source_names:
            return np.zeros(len(positions), np.bool_)
        found: Mask = ~np.isnan(batch.source_scores[positions, batch.source_names.index(source)])
        return found

    def _fits(self, positions: Positions) -> Mask:
        """What the shopper has turned to, its like, what goes with it, or what a personal ranker puts into the better half."""
        batch = self._batch
        fits = np.zeros(len(positions), np.bool_)
        if self._query.profile.event_count == 0 and not self._query.context.seeds:
            return fits
        for source in FITTING_SOURCES:
            fits |= self._found_by(source, positions)
        for name in _LIKED:
            fits |= batch.features.column(name)[positions] > 0
        for scores, middle in self._personal:
            fits |= scores[positions] > middle
        return fits

    @cached_property
    def _personal(self) -> list[tuple[npt.NDArray[np.float32], float]]:
        """Scores of the personal rankers, and the median of each in this query."""
        batch, found = self._batch, []
        start, end = int(batch.offsets[self._index]), int(batch.offsets[self._index + 1])
        for name, scores in batch.scores.items():
            own = scores[start:end]
            if self._calls.rankers.ready[name].reason in _PERSONAL and not np.isnan(own).all():
                found.append((scores, float(np.nanmedian(own))))
        return found
