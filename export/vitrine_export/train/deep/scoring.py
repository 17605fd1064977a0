"""Lists through the network."""

import numpy as np
import numpy.typing as npt
import torch

from vitrine_export.train.deep.network import DeepNetwork
from vitrine_export.train.list_metrics import owners
from vitrine_export.train.ranking_data import RankingData

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
