"""How one list came about."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.plugin import Ranker


@dataclass(frozen=True, slots=True)
class Ordering:
    """The n candidates of one query on their way into a window. Positions count from the query's first candidate.

    Attributes:
        start: Where the query's candidates begin in the batch.
        names: The c components: rankers by name, sources as ``source:NAME``.
        columns: ``float32[n, c]``, their scores; NaN for nothing to say.
        shares: ``float32[n, c]``, weighted and on one scale.
        decided: The reranker that gave the order; ``None`` where the weights did.
        total: ``float32[n]``, what the order follows.
        kept: ``int64[k]``, positions that the rules allow.
        ranked: ``int64[r]``, those by falling total, within the caps on brands and categories.
        positions: ``int64[m]``, the window: the first of them, after diversity.
        final: ``float32[m]``, final scores of the window.
    """

    start: int
    names: tuple[str, ...]
    columns: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]
    decided: Ranker | None
    total: npt.NDArray[np.float32]
    kept: npt.NDArray[np.int64]
    ranked: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    final: npt.NDArray[np.float32]
