"""Derives the reason of each item of a list from what counted most in its score, as far as it is true."""

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


def explain(
    index: int,
    query: ShopperQuery,
    batch: Batch,
    positions: npt.NDArray[np.int64],
    counted: Counted,
    calls: Calls,
    catalog: Catalog,
    new_days: float,
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
        catalog: For titles.
        new_days: How long an item is new.
    """
    if len(positions) == 0:
        return []
    truths = Truths(index, query, batch, calls, new_days)
    named = [codes_of(name, calls.rankers) for name in counted.names]
    codes = _leading(*_by_code(counted.shares, named), positions, truths)
    rest = np.flatnonzero(codes == 0)
    if len(rest):
        codes[rest] = _leading(*_without_shares(batch, positions[rest]), positions[rest], truths)
    speakers = np.full(len(positions), -1, np.int64)
    for code in np.unique(codes[codes > 0]).tolist():
        mine = np.flatnonzero(codes == code)
        speakers[mine] = truths.speakers(ReasonCode(code), positions[mine])

    first_seed = int(batch.history.offsets[index + 1]) - len(query.context.seeds)
    locale, typed = query.context.locale, query.context.query
    reasons = []
    for code, speaker in zip(codes.tolist(), speakers.tolist(), strict=True):
        row = int(batch.history.rows[speaker]) if speaker >= 0 else -1
        reasons.append(
            make_reason(
                ReasonCode(code) if code else None,
                locale=locale,
                query=typed,
                item_ids=(batch.history.ids[speaker],) if speaker >= 0 else (),
                title=catalog.titles[row] if row >= 0 else "",
                bought=bool(speaker >= 0 and batch.history.purchased[speaker]),
                seed=speaker >= first_seed,
            )
        )
    return reasons


def codes_of(name: str, rankers: Rankers) -> tuple[ReasonCode, ...]:
    """What a component can be a reason for, the best first."""
    if name.startswith("source:"):
        return codes_of_source(name.removeprefix("source:"))
    ranker = rankers.ready.get(name)
    code = ranker.reason if ranker is not None else None
    return GROUP_REASONS.get(name, ()) if code is None else (code,)


def _by_code(shares: Shares, named: list[tuple[ReasonCode, ...]]) -> tuple[Shares, Codes]:
    """A column of shares for each reason of each component, and the reasons."""
    columns = [place for place, codes in enumerate(named) for _ in codes]
    return shares[:, columns], np.array([code for codes in named for code in codes], np.int8)


def _without_shares(batch: Batch, positions: npt.NDArray[np.int64]) -> tuple[Shares, Codes]:
    """In place of shares: first the sources that found an item, in their order, then any reason."""
    sources = [(j, code) for j, name in enumerate(batch.source_names) for code in codes_of_source(name)]
    present = ~np.isnan(batch.source_scores[positions][:, [j for j, _ in sources]])
    anything = np.ones((len(positions), len(ANY_REASON)))
    places = np.arange(len(sources) + len(ANY_REASON), 0, -1)
    shares = (np.hstack([present, anything]) * places).astype(np.float32)
    return shares, np.array([*(code for _, code in sources), *ANY_REASON], np.int8)


def _leading(shares: Shares, codes: Codes, positions: npt.NDArray[np.int64], truths: Truths) -> Codes:
    """``int8[m]``: the reason of the largest share above 0 that is true of each item; 0 for none."""
    found = np.zeros(len(shares), np.int8)
    if len(codes) == 0:
        return found
    shares = shares.copy()
    open_rows = np.arange(len(shares))
    while len(open_rows):
        best = shares[open_rows].argmax(axis=1)
        counts = shares[open_rows, best] > 0
        open_rows, leading = open_rows[counts], codes[best[counts]]
        for code in np.unique(leading).tolist():
            mine = open_rows[leading == code]
            true = truths.holds(ReasonCode(code), positions[mine])
            found[mine[true]] = code
            shares[np.ix_(mine[~true], codes == code)] = 0
        open_rows = open_rows[found[open_rows] == 0]
    return found
