"""How good orders are, list by list, and who is asked: some shoppers to choose on, others to confirm the choice."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.domain.ids import tie_keys
from vitrine_export.train.list_metrics import owners
from vitrine_export.train.ranking_data import RankingData

K = 20
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def to_choose(subjects: Sequence[str], share: float, seed: int) -> Bools:
    """``bool[q]``: the lists that trials are compared on. All lists of a shopper are on one side, by a hash."""
    return np.asarray(_keys("choose", subjects, seed) < share, np.bool_)


def folds(subjects: Sequence[str], count: int, seed: int) -> npt.NDArray[np.int64]:
    """``int64[q]``: the fold of each list, from 0. All lists of a shopper are in one, by a hash."""
    return np.asarray(_keys("fold", subjects, seed) * count, np.int64)


def sample(data: RankingData, lists: npt.NDArray[np.intp], rows: int, seed: int) -> npt.NDArray[np.intp]:
    """Some of the lists, shopper by shopper in an order by a hash, that have so many candidates at most together."""
    keys = _keys("sample", [data.subjects[i] for i in lists.tolist()], seed)
    drawn = lists[np.argsort(keys, kind="stable")]
    return np.sort(drawn[np.cumsum(data.sizes[drawn]) <= rows])


def halves(n: int, seed: int) -> tuple[Bools, Bools]:
    """Two halves of n shoppers who are only asked and never learned from: to choose on, and to confirm."""
    chosen = np.zeros(n, np.bool_)
    chosen[np.random.default_rng(seed).permutation(n)[: (n + 1) // 2]] = True
    return chosen, ~chosen


def user_codes(subjects: Sequence[str]) -> npt.NDArray[np.int64]:
    """``int64[q]``: a number for the shopper of each list."""
    return np.asarray(np.unique(np.asarray(subjects, object), return_inverse=True)[1], np.int64)


def metric_name(data: RankingData) -> str:
    """MRR@20 where every list has one answer (the next item), otherwise NDCG@20."""
    return f"MRR@{K}" if len(data) and (_wanted(data) == 1).all() else f"NDCG@{K}"


def by_list(scores: npt.NDArray[np.floating], data: RankingData, metric: str, seed: int) -> Floats:
    """``float64[q]``: the metric of each list when candidates stand by falling score; NaN where nothing was wanted.

    NDCG is that of Järvelin & Kekäläinen (TOIS 2002, equation 1 with gains 0 and 1); MRR the reciprocal place of the
    first answer, 0 beyond 20 (Voorhees, TREC-8 1999). What no source found counts as missed; equal scores are ordered
    by chance.
    """
    owner = owners(data)
    chance = np.random.default_rng(seed).random(len(owner))
    order = np.lexsort((chance, -np.asarray(scores, np.float64), owner))
    place = np.arange(len(order)) - np.repeat(data.offsets[:-1], data.sizes)
    worth = _worth(metric)
    hits = order[place < K]
    places = place[place < K]
    gains = data.labels[hits] * worth[places]
    wanted = _wanted(data)
    quality = np.full(len(data), np.nan)
    some = wanted > 0
    if metric.startswith("MRR"):
        quality[some] = _first(owner[hits], gains, len(data))[some]
    else:
        ideal = np.cumsum(worth)[np.minimum(wanted[some], K) - 1]
        quality[some] = np.bincount(owner[hits], gains, len(data))[some] / ideal
    return quality


def of_targets(scores: npt.NDArray[np.floating], targets: npt.NDArray[np.int64]) -> float:
    """NDCG@20 of one shopper's scores of all items; only scores above 0 were found."""
    k = min(K, len(scores))
    top = np.argpartition(scores, -k)[-k:]
    top = top[np.argsort(-scores[top], kind="stable")]
    worth = _worth("NDCG")
    found = np.isin(top, targets) & (scores[top] > 0)
    return float(worth[:k][found].sum() / worth[: min(len(targets), K)].sum())


def _keys(what: str, subjects: Sequence[str], seed: int) -> Floats:
    """``float64[q]``: a number from 0 to 1 for the shopper of each list."""
    keys: Floats = tie_keys([f"tuning {what}\0{subject}" for subject in subjects], seed) / 2.0**64
    return np.minimum(keys, np.nextafter(1.0, 0.0))


def _worth(metric: str) -> Floats:
    """What an answer at each of the first 20 places counts."""
    places = np.arange(K) + 1.0
    return 1 / places if metric.startswith("MRR") else 1 / np.log2(places + 1)


def _first(owner: npt.NDArray[np.int64], gains: Floats, count: int) -> Floats:
    """The largest gain of each list: that of its first answer."""
    best = np.zeros(count)
    np.maximum.at(best, owner, gains)
    return best


def _wanted(data: RankingData) -> npt.NDArray[np.int64]:
    found = np.bincount(owners(data), data.labels, len(data)).astype(np.int64)
    return found + data.missed
