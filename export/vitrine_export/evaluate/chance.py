"""What lists drawn at random from the catalogue get, exactly: the floor of every table."""

from collections.abc import Sequence

import numpy as np

from vitrine_export.evaluate.lists import ItemSets
from vitrine_export.evaluate.metrics import METRICS, PerQuery


def at_random(
    targets: ItemSets, ks: Sequence[int], size: int, names: Sequence[str] = tuple(METRICS)
) -> dict[str, PerQuery]:
    """The expected value of each measure of each query, named like ``recall@20``.

    A list of k different items is drawn from a catalogue of n; a query with t targets has all of them in it. The item
    at a rank is a target with chance t ÷ n, and none of the first r is one with chance Π_{j<r} (n − t − j) ÷ (n − j).

    Args:
        targets: At least one for each query.
        ks: The cut-offs.
        size: n, at least as many as any query has targets.
        names: Which of `METRICS`.
    """
    # Queries with equally many targets have equal chances.
    sizes, place = np.unique(targets.sizes.astype(np.float64), return_inverse=True)
    return {f"{name}@{k}": _CHANCES[name](sizes, min(k, size), k, size)[place] for k in ks for name in names}


def _recall(t: PerQuery, drawn: int, _k: int, n: int) -> PerQuery:
    return np.full(len(t), drawn / n)


def _precision(t: PerQuery, drawn: int, k: int, n: int) -> PerQuery:
    return t * drawn / n / k


def _f1(t: PerQuery, drawn: int, k: int, n: int) -> PerQuery:
    return 2 * t * drawn / n / (k + t)


def _first(t: PerQuery, drawn: int, n: int) -> PerQuery:
    """``float64[q, drawn]``: the chance that the first hit is at each rank."""
    j = np.arange(drawn)
    misses = np.maximum(n - t[:, None] - j, 0) / (n - j)
    none = np.cumprod(misses, axis=1)
    before = np.concatenate([np.ones((len(t), 1)), none[:, :-1]], axis=1)
    return np.asarray(before - none)


def _hit_rate(t: PerQuery, drawn: int, _k: int, n: int) -> PerQuery:
    return np.asarray(_first(t, drawn, n).sum(axis=1))


def _mrr(t: PerQuery, drawn: int, _k: int, n: int) -> PerQuery:
    return np.asarray((_first(t, drawn, n) / np.arange(1, drawn + 1)).sum(axis=1))


def _ndcg(t: PerQuery, drawn: int, k: int, n: int) -> PerQuery:
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(t, k).astype(np.int64) - 1]
    return np.asarray(t / n * discounts[:drawn].sum() / ideal)


def _map(t: PerQuery, drawn: int, k: int, n: int) -> PerQuery:
    # At rank r a hit with chance t/n; then each earlier rank is one with chance (t − 1)/(n − 1).
    r = np.arange(1, drawn + 1)
    others = (t[:, None] - 1) / max(n - 1, 1)
    return np.asarray((t[:, None] / n * (1 + (r - 1) * others) / r).sum(axis=1) / np.minimum(t, k))


_CHANCES = {
    "recall": _recall,
    "ndcg": _ndcg,
    "precision": _precision,
    "f1": _f1,
    "hr": _hit_rate,
    "mrr": _mrr,
    "map": _map,
}
