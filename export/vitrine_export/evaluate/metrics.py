"""Measures of ranked lists, exactly. Relevance is binary; each answers one number a query, to be averaged over queries.

L is the list of a query, its first k items are shown, T is the set of its targets, hits@k = |L₁…L_k ∩ T|. A list that
is shorter than k has misses at its missing places. The mean over queries is the macro average: each query counts the
same, however many targets it has. Where every query has one target (sessions, leave-one-out), Recall@k = HR@k, and what
papers on sessions call P@k is that too; Precision@k below is not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.lists import ItemSets, Lists

PerQuery = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hits:
    """Where q lists hit, computed once for all measures and cut-offs.

    Attributes:
        found: ``bool[q, k]``: whether the item at each rank is a target of its query.
        counts: ``int64[q, k]``: hits down to each rank.
        sizes: ``int64[q]``: how many targets each query has; at least 1.
    """

    found: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lists: Lists, targets: ItemSets, k: int) -> "Hits":
        """The hits among the first k.

        Raises:
            ValueError: A query has no target, so that nothing can be said of it; leave it out before.
        """
        sizes = targets.sizes
        if len(lists) != len(sizes):
            raise ValueError(f"{len(lists)} lists, but targets of {len(sizes)} queries")
        if len(sizes) and not sizes.min():
            raise ValueError(f"query {int(sizes.argmin())} has no target; leave it out")
        found = hits(lists, targets, k)
        return cls(found, found.cumsum(axis=1), sizes)

    def at(self, k: int) -> npt.NDArray[np.int64]:
        """``int64[q]``: hits@k."""
        k = min(k, self.counts.shape[1])
        return self.counts[:, k - 1] if k else np.zeros(len(self.sizes), np.int64)


def hits(lists: Lists, targets: ItemSets, k: int) -> npt.NDArray[np.bool_]:
    """``bool[q, k]``: whether the item at each rank is a target of its query; the padding of a short list is not."""
    items = lists.items[:, :k]
    wanted = targets.queries << 32 | targets.items  # rises, as the sets do
    asked = np.arange(len(lists), dtype=np.int64)[:, None] << 32 | np.maximum(items, 0)
    if not len(wanted):
        return np.zeros(items.shape, np.bool_)
    place = np.minimum(np.searchsorted(wanted, asked), len(wanted) - 1)
    found: npt.NDArray[np.bool_] = (wanted[place] == asked) & (items >= 0)
    return found


def recall(found: Hits, k: int) -> PerQuery:
    """Recall@k = hits@k ÷ |T| (Manning, Raghavan & Schütze 2008, equation 8.2).

    The divisor is the whole of T, also where |T| > k, so that a perfect list of k items may stay below 1.
    """
    return np.asarray(found.at(k) / found.sizes)


def precision(found: Hits, k: int) -> PerQuery:
    """Precision@k = hits@k ÷ k (Manning, Raghavan & Schütze 2008, section 8.4), also where the list is shorter than k."""
    return np.asarray(found.at(k) / k)


def f1(found: Hits, k: int) -> PerQuery:
    """F1@k = 2 P R ÷ (P + R) of the query's Precision@k and Recall@k, 0 where both are.

    That is 2 hits@k ÷ (k + |T|) (Manning, Raghavan & Schütze 2008, equation 8.6). The mean of it over queries is not
    the F1 of the means.
    """
    return np.asarray(2 * found.at(k) / (k + found.sizes))


def hit_rate(found: Hits, k: int) -> PerQuery:
    """HR@k = 1 where hits@k > 0, else 0 (Deshpande & Karypis 2004, TOIS 22(1))."""
    return (found.at(k) > 0).astype(np.float64)


def reciprocal_rank(found: Hits, k: int) -> PerQuery:
    """MRR@k = 1 ÷ rank of the first hit; 0 where none of the first k is one (Voorhees 1999, the question answering track of TREC-8)."""
    some = found.found[:, :k]
    if not some.shape[1]:
        return np.zeros(len(some))
    return np.where(some.any(axis=1), 1 / (some.argmax(axis=1) + 1), 0.0)


def average_precision(found: Hits, k: int) -> PerQuery:
    """MAP@k: AP@k = Σ over ranks r ≤ k of [L_r ∈ T] · hits@r ÷ r, divided by min(k, |T|).

    Manning, Raghavan & Schütze 2008, equation 8.8, with the sum cut at k and divided by its largest value, so that a
    list with nothing but hits gets 1.
    """
    some = found.found[:, :k]
    precisions = found.counts[:, :k] / np.arange(1, some.shape[1] + 1)
    return np.asarray((some * precisions).sum(axis=1) / np.minimum(k, found.sizes))


def ndcg(found: Hits, k: int) -> PerQuery:
    """NDCG@k = DCG ÷ IDCG with DCG = Σ over ranks r ≤ k of [L_r ∈ T] ÷ log2(r + 1).

    IDCG is the DCG of a list that has min(k, |T|) targets at its top (Järvelin & Kekäläinen 2002, TOIS 20(4),
    section 2.3, with binary gains).
    """
    some = found.found[:, :k]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(found.sizes, k) - 1]
    return np.asarray((some * discounts[: some.shape[1]]).sum(axis=1) / ideal)


METRICS: Mapping[str, Callable[[Hits, int], PerQuery]] = {
    "recall": recall,
    "ndcg": ndcg,
    "precision": precision,
    "f1": f1,
    "hr": hit_rate,
    "mrr": reciprocal_rank,
    "map": average_precision,
}


def measure(
    lists: Lists, targets: ItemSets, ks: Sequence[int], names: Sequence[str] = tuple(METRICS)
) -> dict[str, PerQuery]:
    """Measures at several cut-offs, named like ``recall@20``, in one pass.

    Args:
        lists: At least as long as the largest cut-off, as far as something was found.
        targets: At least one for each query.
        ks: The cut-offs, at least 1 each.
        names: Which of `METRICS`.

    Raises:
        ValueError: A query has no target, or a cut-off is below 1.
    """
    if not ks or min(ks) < 1:
        raise ValueError(f"cut-offs {list(ks)}: at least one, each 1 or more")
    found = Hits.of(lists, targets, max(ks))
    return {f"{name}@{k}": METRICS[name](found, k) for k in ks for name in names}
