"""Derives the reason of each item of a list from what counted most in its score, as far as it is true."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.domain.answer import Reason, ReasonCode
from vitrine.hosting import Calls, Rankers
from vitrine.plugin import Batch
from vitrine.ranking.attribution import Counted
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.reasons import ANY_REASON, GROUP_REASONS, codes_of_source, make_reason
from vitrine.ranking.truths import Truths

Shares = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int8]
Positions = npt.NDArray[np.int64]

# Which components count follows from the scene, but for sources that a caller may name.
_REMEMBERED = 256
_CODES = max(ReasonCode) + 1


class _Told(NamedTuple):
    """A column for each reason of each component: ``int64[k]`` which component, ``int8[k]`` which reason."""

    columns: npt.NDArray[np.int64]
    codes: Codes


class ReasonTeller:
    """Tells why items are where they are.

    Args:
        catalog: For titles.
        rankers: What each of them is a reason for.
        new_days: How long an item is new.
    """

    def __init__(self, catalog: Catalog, rankers: Rankers, new_days: float) -> None:
        self._catalog = catalog
        self._rankers = rankers
        self._new_days = new_days
        self._told: dict[tuple[str, ...], _Told] = {}

    def reasons(
        self,
        index: int,
        query: ShopperQuery,
        batch: Batch,
        positions: Positions,
        counted: Counted,
        calls: Calls,
    ) -> list[Reason]:
        """The reason of each of m items: of what counted, the largest share whose reason is true of the item.

        Where none is, what the sources that found it stand for and then any other reason, as far as true; nothing where
        nothing is.

        Args:
            index: Which query of the batch.
            query: That query.
            batch: The batch.
            positions: ``int64[m]``, candidates of the batch.
            counted: What each component added to each item's score.
            calls: How rankers are asked which item of the history speaks for a candidate.
        """
        if len(positions) == 0:
            return []
        truths = Truths(index, query, batch, positions, calls, self._new_days)
        told = self._told_by(counted.names)
        codes = _leading(counted.shares[:, told.columns], told.codes, truths, np.arange(len(positions)))
        rest = np.flatnonzero(codes == 0)
        if len(rest):
            codes[rest] = _leading(*_without_shares(batch, positions[rest]), truths, rest)
        speakers = np.full(len(positions), -1, np.int64)
        for code in sorted(set(codes.tolist()) - {0}):
            speakers = np.where(codes == code, truths.speakers(ReasonCode(code)), speakers)
        end = int(batch.history.offsets[index + 1])
        made: dict[tuple[int, int], Reason] = {}
        reasons = []
        for of in zip(codes.tolist(), speakers.tolist(), strict=True):
            # Items of a window share a few.
            reason = made.get(of)
            if reason is None:
                reason = made[of] = self._reason(*of, query, batch, end)
            reasons.append(reason)
        return reasons

    def _reason(self, code: int, speaker: int, query: ShopperQuery, batch: Batch, end: int) -> Reason:
        """A reason and the row of the history that speaks, −1 for none, in words; the query's history has an end."""
        history, context = batch.history, query.context
        row = int(history.rows[speaker]) if speaker >= 0 else -1
        return make_reason(
            ReasonCode(code) if code else None,
            locale=context.locale,
            query=context.query,
            item_ids=(history.ids[speaker],) if speaker >= 0 else (),
            title=self._catalog.titles[row] if row >= 0 else "",
            bought=bool(speaker >= 0 and history.purchased[speaker]),
            seed=speaker >= end - len(context.seeds),
        )

    def _told_by(self, names: tuple[str, ...]) -> _Told:
        """The columns of some components."""
        told = self._told.get(names)
        if told is None:
            pairs = [(place, code) for place, name in enumerate(names) for code in self._codes_of(name)]
            told = _Told(
                np.array([place for place, _ in pairs], np.int64),
                np.array([code for _, code in pairs], np.int8),
            )
            if len(self._told) >= _REMEMBERED:
                self._told.clear()
            self._told[names] = told
        return told

    def _codes_of(self, name: str) -> Sequence[ReasonCode]:
        """What a component can be a reason for, the best first."""
        if name.startswith("source:"):
            return codes_of_source(name.removeprefix("source:"))
        ranker = self._rankers.ready.get(name)
        code = ranker.reason if ranker is not None else None
        return GROUP_REASONS.get(name, ()) if code is None else (code,)


def _without_shares(batch: Batch, positions: Positions) -> tuple[Shares, Codes]:
    """In place of shares: first the sources that found an item, in their order, then any reason."""
    sources = [(j, code) for j, name in enumerate(batch.source_names) for code in codes_of_source(name)]
    present = ~np.isnan(batch.source_scores[positions][:, [j for j, _ in sources]])
    anything = np.ones((len(positions), len(ANY_REASON)))
    places = np.arange(len(sources) + len(ANY_REASON), 0, -1)
    shares = (np.hstack([present, anything]) * places).astype(np.float32)
    return shares, np.array([*(code for _, code in sources), *ANY_REASON], np.int8)


def _leading(shares: Shares, codes: Codes, truths: Truths, items: Positions) -> Codes:
    """``int8[r]``: the reason of the largest share above 0 that is true of each of some items; 0 for none.

    Args:
        shares: ``float32[r, k]``.
        codes: ``int8[k]``, what each column is a reason for.
        truths: Of all m items.
        items: ``int64[r]``, which of these they are.
    """
    if len(codes) == 0:
        return np.zeros(len(shares), np.int8)
    # True until it is looked at: most reasons lead nowhere, and some are dear to look at.
    true = np.ones((len(shares), _CODES), np.bool_)
    looked_at = {0}
    while True:
        open_shares = np.where(true[:, codes], shares, np.float32(0))
        found = np.where(open_shares.max(axis=1) > 0, codes[open_shares.argmax(axis=1)], np.int8(0))
        new = set(found.tolist()) - looked_at
        if not new:
            return found
        for code in sorted(new):
            true[:, code] = truths.holds(ReasonCode(code))[items]
        looked_at |= new
