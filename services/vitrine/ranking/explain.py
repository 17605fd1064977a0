"""Derives the reason of each item of a list from what counted most in its score."""

import logging

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.domain.answer import Reason, ReasonCode
from vitrine.plugin import Batch, Explainer
from vitrine.ranking.plugins import Rankers
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.reasons import SOURCE_REASONS, make_reason

log = logging.getLogger(__name__)


def explain(
    index: int,
    query: ShopperQuery,
    batch: Batch,
    positions: npt.NDArray[np.int64],
    names: tuple[str, ...],
    shares: npt.NDArray[np.float32],
    rankers: Rankers,
    catalog: Catalog,
) -> list[Reason]:
    """The reason of each of m items.

    Args:
        index: Which query of the batch.
        query: That query.
        batch: The batch.
        positions: ``int64[m]``, candidates of the batch.
        names: The c components of the score.
        shares: ``float32[m, c]``, what each component added to each item's score.
        rankers: The rankers, asked which item of the history speaks for a candidate.
        catalog: For titles.
    """
    if len(positions) == 0:
        return []
    column_codes = [_code(name, rankers) for name in names]
    codes = _leading(shares, column_codes)
    found = np.flatnonzero(codes == 0)
    if len(found) and batch.source_names:
        # Nothing counted for these: say where they come from.
        present = ~np.isnan(batch.source_scores[positions[found]])
        by_source = np.array([SOURCE_REASONS.get(s, 0) for s in batch.source_names], np.int8)
        codes[found] = np.where(present.any(axis=1), by_source[present.argmax(axis=1)], 0)
    start, end = int(batch.history.offsets[index]), int(batch.history.offsets[index + 1])
    speakers = _speakers(batch, positions, codes, rankers)
    # Whatever a plugin says: only what is in this shopper's own history may be named.
    speakers[(speakers < start) | (speakers >= end)] = -1

    first_seed = end - len(query.context.seeds)
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


def _code(name: str, rankers: Rankers) -> int:
    if name.startswith("source:"):
        return SOURCE_REASONS.get(name.removeprefix("source:"), 0)
    return rankers.ready[name].reason or 0


def _leading(shares: npt.NDArray[np.float32], column_codes: list[int]) -> npt.NDArray[np.int8]:
    """The code of the largest positive share of each row among the columns that have one; 0 for none."""
    if not any(column_codes):
        return np.zeros(len(shares), np.int8)
    codes = np.array(column_codes, np.int8)
    shares = np.where(codes > 0, shares, -np.inf)
    best = shares.argmax(axis=1)
    return np.where(np.take_along_axis(shares, best[:, None], 1)[:, 0] > 0, codes[best], 0).astype(np.int8)


def _speakers(
    batch: Batch, positions: npt.NDArray[np.int64], codes: npt.NDArray[np.int8], rankers: Rankers
) -> npt.NDArray[np.int64]:
    """``int64[m]``: rows of the history that speak for the items, −1 for none."""
    speakers = np.full(len(positions), -1, np.int64)
    for ranker in rankers.ready.values():
        if isinstance(ranker, Explainer) and ranker.reason:
            mine = np.flatnonzero(codes == ranker.reason)
            if len(mine) == 0:
                continue
            try:
                speakers[mine] = ranker.explain(batch, positions[mine])
            except Exception:
                # A reason without its item is better than no answer.
                log.exception("ranker '%s' cannot explain its scores", ranker.name)
    return speakers
