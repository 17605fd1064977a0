"""What the shopper took before; hard to beat where people come back for the same things.

GP-TopFreq of next-basket recommendation (Li, Jullien, Ariannezhad & de Rijke 2023, "A Next Basket Recommendation Reality
Check", TOIS 41(4)): the personal most frequent items, filled with what is popular.
"""

import numpy as np

from vitrine_export.evaluate.baselines.base import Asked, Needs, Scores, asked_sequences
from vitrine_export.evaluate.baselines.popularity import Popularity


class BuyAgain:
    """What the shopper took most often; equally often, and behind, what is popular.

    Args:
        popularity: Decides between equals and fills the list.
    """

    name = "buy again"
    needs: Needs = ""

    def __init__(self, popularity: Popularity) -> None:
        self._fill = popularity.fill()

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        scores: Scores = queries.history.toarray() + self._fill
        return scores


class BuyAgainByRecency:
    """What the shopper took last; of one moment, and behind, what is popular.

    Args:
        popularity: As for `BuyAgain`.
    """

    name = "buy again by recency"
    needs: Needs = "order"

    def __init__(self, popularity: Popularity) -> None:
        self._fill = popularity.fill()

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        sequences = asked_sequences(queries, self.name)
        scores = np.repeat(self._fill[None], len(sequences), axis=0).astype(np.float64)
        latest = np.zeros(scores.shape, np.int32)
        # Moments rise within a query, so the last one that is written is the latest.
        np.maximum.at(latest, (sequences.queries, sequences.items), sequences.moments + 1)
        return np.asarray(scores + latest)
