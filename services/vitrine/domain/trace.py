"""How the order of a window came about, step by step."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import DegradationCode


@dataclass(frozen=True, slots=True)
class Trace:
    """The s steps by which the m items of a window came to their ranks.

    What a step did to an item is its rank in the step's row beside that in the row before.

    Attributes:
        names: "sources", then in the order in which they ran "features:NAME", "ranker:NAME" and "reranker:NAME", then
            "rules", "caps" and "diversity".
        seconds: ``float64[s]``, the time that a plugin took; NaN for a step that is none, or was not called.
        ranks: ``int64[s, m]``, the rank of each item of the window after each step, the first is 1; 0 where it is not
            in the list.
        left_out: Of each step why the answer goes without it, and ``None`` where it does not.
    """

    names: tuple[str, ...]
    seconds: npt.NDArray[np.float64]
    ranks: npt.NDArray[np.int64]
    left_out: tuple[DegradationCode | None, ...]
