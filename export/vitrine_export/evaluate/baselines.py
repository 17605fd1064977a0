"""What a model has to beat. Each is fitted on what came before the window and scores every item for every query."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine_export.evaluate.log import Log, Matrix

DAY = 86_400.0
Scores = npt.NDArray[np.float64]


class Baseline(Protocol):
    """A simple method.

    Attributes:
        name: For tables.
    """

    name: str

    def scores(self, history: Matrix) -> Scores:
        """``float64[q, n]``, 0 for an item that the method does not find; ``history`` as in `Queries`."""
        ...


class Popularity:
    """The same list for everybody: how often an item was taken in the last days before the window."""

    name = "popularity"

    def __init__(self, log: Log, now: float, days: float = 60) -> None:
        recent = now - log.time <= days * DAY
        self.counts: Scores = np.bincount(log.item[recent], minlength=log.items).astype(np.float64)

    def scores(self, history: Matrix) -> Scores:
        """See `Baseline`."""
        return np.repeat(self.counts[None], history.shape[0], axis=0)


class BuyAgain:
    """What the customer took most often; equally often, and behind, what was popular of late."""

    name = "buy again"

    def __init__(self, popularity: Popularity) -> None:
        # Below 1, so that it never outweighs one more time.
        self._fill = popularity.counts / (popularity.counts.max(initial=0.0) + 1)

    def scores(self, history: Matrix) -> Scores:
        """See `Baseline`."""
        scores: Scores = history.toarray() + self._fill
        return scores


class ItemKnn:
    """Item-based nearest neighbours (Deshpande & Karypis 2004, TOIS 22(1), section 4).

    Cosine between items over shoppers, each shopper weighing 1 ÷ the length of the history (their section 4.1.2),
    with a shrunk denominator, over the nearest neighbours of each item; a query's score is the sum over the items
    of its history. Neighbours and shrinkage were chosen on July and August 2011 of Online Retail.

    Args:
        log: What was taken.
        neighbours: Nearest neighbours kept of each item.
        shrinkage: Added to the denominator, in shoppers of average weight.
    """

    name = "item kNN"

    def __init__(self, log: Log, neighbours: int = 50, shrinkage: float = 10) -> None:
        taken = log.counts()
        taken.data[:] = 1
        lengths = np.maximum(np.asarray(taken.sum(1)).ravel(), 1)
        together = sp.csr_array(taken.T @ sp.diags_array(1 / lengths) @ taken)
        norms = np.sqrt(together.diagonal())
        pairs = together.tocoo()
        keep = pairs.row != pairs.col
        row, col, value = pairs.row[keep], pairs.col[keep], pairs.data[keep]
        lam = shrinkage * float((1 / lengths).mean())
        value = value / (norms[row] * norms[col] + lam)
        order = np.lexsort((-value, row))
        row, col, value = row[order], col[order], value[order]
        nearest = np.arange(len(row)) - np.searchsorted(row, np.arange(log.items))[row] < neighbours
        self._similarity = sp.csr_array(
            (value[nearest], (row[nearest], col[nearest])), (log.items, log.items)
        )

    def scores(self, history: Matrix) -> Scores:
        """See `Baseline`."""
        taken = history.copy()
        taken.data = np.ones_like(taken.data)
        return np.asarray((taken @ self._similarity).toarray())
