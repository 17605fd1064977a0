"""Which item of the shopper's history speaks for a candidate."""

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import ReasonCode
from vitrine.hosting import Calls
from vitrine.plugin import Batch


def speakers(
    index: int, code: ReasonCode, batch: Batch, positions: npt.NDArray[np.int64], calls: Calls
) -> npt.NDArray[np.int64]:
    """``int64[m]``: rows of the history that speak for m candidates, by the rankers of a reason; −1 for none.

    Args:
        index: Which query of the batch the candidates belong to.
        code: The reason.
        batch: The batch.
        positions: ``int64[m]``, candidates of the batch.
        calls: How rankers are asked.
    """
    found = np.full(len(positions), -1, np.int64)
    able = [ranker for ranker in calls.rankers.ready.values() if ranker.reason is code and ranker.explains]
    start, end = batch.history.offsets[index : index + 2].tolist()
    if not able or start == end:
        return found
    # Where a source alone stands for the reason, any ranker may know; else what is of other scenes is left alone.
    for ranker in [one for one in able if one.name in batch.scores] or able:
        rows = calls.explain(ranker, batch, positions)
        # A reason without its item is better than no answer.
        if rows is not None:
            # Whatever a plugin says: only what is in this shopper's own history may be named.
            own = (found < 0) & (rows >= start) & (rows < end)
            found[own] = rows[own]
    # That an item resembles itself is no reason. There is a history, so that −1 is a row of some item's.
    found[batch.history.rows[found] == batch.items.rows[positions]] = -1
    return found
