"""What ranking is asked."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import Profile
from vitrine.domain.request import NO_CONTEXT, Context


@dataclass(frozen=True, slots=True)
class ShopperQuery:
    """One list to order: for whom, in view of what, by which scene's pipeline, at most how many items.

    Attributes:
        interests: ``float32[3, d]``, what retrieval has read of the shopper's interests (short, long and both) by the
            bundle that the query wishes for; ``None`` where it has not.
    """

    profile: Profile
    scene: str
    context: Context = NO_CONTEXT
    limit: int = 20
    interests: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class RankingQuery:
    """Lists to order together.

    Attributes:
        request_time: The moment to answer for, Unix seconds.
        queries: q queries.
        candidates: The candidates of all queries, one after the other.
        offsets: ``int64[q + 1]``; query i owns candidates ``offsets[i]`` to ``offsets[i + 1]``.
        bundle: Version of the bundle to use, if it is still there; "" for what is served now.
        trace: Whether to answer how each order came about.
        reasons: Whether to tell why each item is there; without, it has no reason.
    """

    request_time: float
    queries: tuple[ShopperQuery, ...]
    candidates: Candidates
    offsets: npt.NDArray[np.int64]
    bundle: str = ""
    trace: bool = False
    reasons: bool = True

    @classmethod
    def single(
        cls,
        request_time: float,
        query: ShopperQuery,
        candidates: Candidates,
        bundle: str = "",
        *,
        trace: bool = False,
    ) -> Self:
        """One list."""
        return cls(
            request_time, (query,), candidates, np.array([0, len(candidates)], np.int64), bundle, trace
        )
