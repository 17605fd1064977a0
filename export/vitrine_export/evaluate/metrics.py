"""Measures of ranked lists, exactly. Relevance is binary; each answers one number a query, to be averaged over queries.

A query whose target set T is empty has no value and must be left out before.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.lists import ItemSets, Lists

PerQuery = npt.NDArray[np.float64]


def hits(lists: Lists, targets: ItemSets, k: int) -> npt.NDArray[np.bool_]:
    """``bool[q, k]``: whether the item at each rank is a target of its query."""
    items = lists.items[:, :k]
    asked = np.arange(len(lists))[:, None] << 32 | items
    return np.isin(asked, targets.queries << 32 | targets.items) & (items >= 0)


def recall(lists: Lists, targets: ItemSets, k: int) -> PerQuery:
    """Recall@k = |top k ∩ T| ÷ |T|.

    The divisor is the whole of T, also where |T| > k, so that a perfect list of k items may stay below 1.
    """
    shares: PerQuery = hits(lists, targets, k).sum(1) / targets.sizes
    return shares


def ndcg(lists: Lists, targets: ItemSets, k: int) -> PerQuery:
    """NDCG@k = DCG ÷ IDCG with DCG = Σ over ranks r ≤ k of [item at r ∈ T] ÷ log2(r + 1).

    IDCG is the DCG of a list that has min(k, |T|) targets at its top (Järvelin & Kekäläinen 2002, TOIS 20(4),
    section 2.3, with binary gains).
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(targets.sizes, k) - 1]
    found = hits(lists, targets, k)
    gains: PerQuery = (found * discounts[: found.shape[1]]).sum(1) / ideal
    return gains


METRICS: Mapping[str, Callable[[Lists, ItemSets, int], PerQuery]] = {"recall": recall, "ndcg": ndcg}


def measure(lists: Lists, targets: ItemSets, k: int) -> dict[str, PerQuery]:
    """Every measure of `METRICS`, named like ``recall@20``."""
    return {f"{name}@{k}": metric(lists, targets, k) for name, metric in METRICS.items()}
