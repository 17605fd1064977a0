"""How good an order of lists is."""

import numpy as np
import numpy.typing as npt

from vitrine_export.train.ranking_data import RankingData

K = 20


def ndcg(scores: npt.NDArray[np.float32], data: RankingData, k: int = K) -> float:
    """NDCG@k, the mean over lists that have an answer (Järvelin & Kekäläinen, TOIS 2002, equation 1 with gains 0 and 1).

    What the shopper took and no source found counts as missed.
    """
    owner = owners(data)
    order = np.lexsort((-scores, owner))
    place = np.arange(len(order)) - np.repeat(data.offsets[:-1], data.sizes)
    discount = 1 / np.log2(np.arange(k) + 2.0)
    first = place < k
    gain = np.bincount(owner[order[first]], data.labels[order[first]] * discount[place[first]], len(data))
    wanted = np.bincount(owner, data.labels, len(data)).astype(np.int64) + data.missed
    some = wanted > 0
    ideal = np.cumsum(discount)[np.minimum(wanted[some], k) - 1]
    return float((gain[some] / ideal).mean()) if some.any() else 0.0


def owners(data: RankingData) -> npt.NDArray[np.int64]:
    """``int64[n]``: the list of each candidate."""
    return np.repeat(np.arange(len(data)), data.sizes)
