"""What counted in the scores of a list: shares of a reranker's model where it decided, else of the weighted blend."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.hosting import Calls, RankerFacts
from vitrine.plugin import Batch


class Counted(NamedTuple):
    """What each of c components added to the scores of m items.

    Attributes:
        names: Rankers by name, sources as ``source:NAME``, groups of columns that are neither.
        shares: ``float32[m, c]``.
    """

    names: tuple[str, ...]
    shares: npt.NDArray[np.float32]


def counted(
    decided: RankerFacts | None,
    batch: Batch,
    positions: npt.NDArray[np.int64],
    blended: Callable[[], Counted],
    calls: Calls,
) -> Counted:
    """What counted for some candidates.

    Args:
        decided: The reranker that gave them their order; ``None`` where the weights did.
        batch: The batch.
        positions: ``int64[m]``, candidates of the batch.
        blended: Makes weighted shares of those candidates: what counts where there is no reranker, and what stands in
            for one that cannot tell.
        calls: How it is asked.
    """
    if decided is None or decided.groups is None or len(positions) == 0:
        return blended()
    shares = calls.group_shares(decided, batch, positions)
    # A second-best reason is better than no answer.
    return blended() if shares is None else Counted(decided.groups, shares)
