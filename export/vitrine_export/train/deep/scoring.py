"""Lists through the network, and how good the order is that it gives them."""

import numpy as np
import numpy.typing as npt
import torch

from vitrine_export.train.deep.network import DeepNetwork
from vitrine_export.train.ranking_data import RankingData

K = 20
# Rows of a run: few enough for a small GPU.
_ROWS = 65_536


def feeds(
    data: RankingData,
    rows: npt.NDArray[np.int64],
    lists: npt.NDArray[np.int64],
    features: npt.NDArray[np.float32],
) -> dict[str, npt.NDArray[np.float32]]:
    """The inputs of the network by name.

    Args:
        data: The lists.
        rows: ``int64[m]``, some candidates.
        lists: ``int64[m]``, the list of each.
        features: ``float32[m, f]``, what is to be seen of their features.
    """
    told = {"features": features}
    if data.vectors is not None:
        told["item"] = data.vectors.items(rows)
        told |= {"short": data.vectors.short[lists], "long": data.vectors.long[lists]}
    return told


def tensors(arrays: dict[str, npt.NDArray[np.float32]], device: torch.device) -> dict[str, torch.Tensor]:
    """The same on a device."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)).to(device) for name, array in arrays.items()}


@torch.no_grad()
def scores_of(
    network: DeepNetwork,
    data: RankingData,
    device: torch.device,
    rows: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.float32]:
    """``float32[m]``: the scores of some candidates, of all unless told."""
    network.eval()
    wanted = np.arange(len(data.labels)) if rows is None else rows
    out = np.empty(len(wanted), np.float32)
    owner = owners(data)
    for start in range(0, len(wanted), _ROWS):
        some = wanted[start : start + _ROWS]
        inputs = feeds(data, some, owner[some], data.features[some])
        out[start : start + len(some)] = network(**tensors(inputs, device)).cpu().numpy()
    return out


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
