"""What counted in the scores of a list: shares of a reranker's model where it decided, else of the weighted blend."""

import logging
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.plugin import Attributor, Batch, Ranker

log = logging.getLogger(__name__)


class Counted(NamedTuple):
    """What each of c components added to the scores of m items.

    Attributes:
        names: Rankers by name, sources as ``source:NAME``, groups of columns that are neither.
        shares: ``float32[m, c]``.
    """

    names: tuple[str, ...]
    shares: npt.NDArray[np.float32]


def counted(
    decided: Ranker | None, batch: Batch, positions: npt.NDArray[np.int64], blended: Counted
) -> Counted:
    """What counted for some candidates.

    Args:
        decided: The reranker that gave them their order; ``None`` where the weights did.
        batch: The batch.
        positions: ``int64[m]``, candidates of the batch.
        blended: Weighted shares of those candidates: what counts where there is no reranker, and what stands in for
            one that cannot tell.
    """
    if decided is None or not isinstance(decided, Attributor) or len(positions) == 0:
        return blended
    try:
        names, shares = tuple(decided.groups), decided.group_shares(batch, positions)
        if shares.shape == (len(positions), len(names)) and np.isfinite(shares).all():
            return Counted(names, shares)
        log.error("reranker '%s' told shares of shape %s, or not finite", decided.name, shares.shape)
    except Exception:
        # A second-best reason is better than no answer.
        log.exception("reranker '%s' cannot tell its shares", decided.name)
    return blended
