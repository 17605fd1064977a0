"""Item-based nearest neighbours."""

import numpy as np
import scipy.sparse as sp

from vitrine_export.evaluate.baselines.base import Asked, Needs, Scores, binary, dense
from vitrine_export.evaluate.baselines.nearest import keep_best, products, rows_of
from vitrine_export.evaluate.log import Log


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
    needs: Needs = ""

    def __init__(self, log: Log, neighbours: int = 50, shrinkage: float = 10) -> None:
        taken = log.counts()
        taken.data[:] = 1
        lengths = np.maximum(np.asarray(taken.sum(1)).ravel(), 1)
        weighted = sp.csr_array(sp.diags_array(1 / lengths) @ taken)
        norms = np.sqrt(np.asarray(weighted.sum(0)).ravel())
        shrunk = shrinkage * float((1 / lengths).mean())
        parts = []
        for start, block in products(taken, weighted):
            row = rows_of(block) + start
            block.data /= norms[row] * norms[block.indices] + shrunk
            block.data[row == block.indices] = 0
            parts.append(keep_best(block, neighbours))
        self._similarity = sp.csr_array(sp.vstack(parts, format="csr")).astype(np.float32)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        return dense(binary(queries.history) @ self._similarity)
