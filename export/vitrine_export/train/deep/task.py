"""Lists as something to train on: which candidates a step sees, the loss, and the metric on held-out shoppers."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from vitrine_export.train.deep.network import DeepNetwork
from vitrine_export.train.deep.scoring import feeds, scores_of, tensors
from vitrine_export.train.deep.settings import DeepSettings
from vitrine_export.train.list_metrics import K, ndcg, owners
from vitrine_export.train.ranking_data import RankingData

# The score of what is no candidate.
_FAR = -1e4
# Lists that tell well enough which round was best: with more, measuring takes longer than learning.
_MEASURED = 600


class Thinned(NamedTuple):
    """Some candidates of q lists: m rows in all, how many each list has, and which lists they are."""

    rows: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    lists: npt.NDArray[np.int64]


class DeepTask:
    """See `vitrine_export.neural.loop.Task`."""

    name = "deep"
    metric_name = f"NDCG@{K}"

    def __init__(
        self,
        network: DeepNetwork,
        data: RankingData,
        learned: npt.NDArray[np.bool_],
        settings: DeepSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        """Makes it.

        Args:
            network: What to train.
            data: q lists.
            learned: ``bool[q]``, which to learn from; some hundreds of the others are measured on.
            settings: How.
            seed: Decides everything random.
            device: Where.
        """
        self.network = network
        self._data, self._learned = data, learned
        self._held_out = None if learned.all() else _some(data, ~learned, seed)
        self._settings, self._seed, self._device = settings, seed, device
        self._components = components(data.names)

    def losses(self, epoch: int) -> Iterator[tuple[float, torch.Tensor]]:
        """See `Task`."""
        rng = np.random.default_rng((self._seed, epoch))
        some = thinned(self._data, self._learned, self._settings.negatives, rng)
        ends = np.cumsum(some.sizes)
        order, size = rng.permutation(len(some.lists)), self._settings.lists
        steps = range(0, len(order), size)
        for number, start in enumerate(steps, 1):
            which = order[start : start + size]
            rows = [some.rows[ends[i] - some.sizes[i] : ends[i]] for i in which.tolist()]
            step = Thinned(np.concatenate(rows), some.sizes[which], some.lists[which])
            yield number / len(steps), self._loss(step, rng)

    def metric(self) -> float | None:
        """NDCG@20 over whole lists with all their columns."""
        if self._held_out is None:
            return None
        return ndcg(scores_of(self.network, self._held_out, self._device), self._held_out)

    def fingerprint(self) -> str:
        """See `Task`."""
        told = hashlib.sha256(repr(asdict(replace(self._settings, time_limit=None, device=""))).encode())
        data, vectors = self._data, self._data.vectors
        arrays = [data.features, data.labels, data.offsets, self._learned]
        if vectors is not None:
            arrays += [vectors.table, vectors.rows, vectors.short, vectors.long]
        for array in arrays:
            told.update(np.ascontiguousarray(array).tobytes())
        return told.hexdigest()[:16]

    def _loss(self, step: Thinned, rng: np.random.Generator) -> torch.Tensor:
        """Softmax cross-entropy of each list, its mean over lists.

        Bruch et al. (ICTIR 2019, equation 2): what was taken shares the wanted probability evenly, which for one
        taken item is the top-one loss of ListNet (Cao et al., ICML 2007, section 4.2).
        """
        rows, sizes = step.rows, step.sizes
        scores = self.network(**tensors(self._feeds(step, rng), self._device))
        # Lists side by side, filled up with what is no candidate.
        owner = np.repeat(np.arange(len(sizes)), sizes)
        at = np.full((len(sizes), int(sizes.max())), len(rows), np.int64)
        at[owner, np.arange(len(rows)) - (np.cumsum(sizes) - sizes)[owner]] = np.arange(len(rows))
        labels = np.append(self._data.labels[rows] > 0, False).astype(np.float32)[at]
        wanted = torch.from_numpy(labels / labels.sum(axis=1, keepdims=True)).to(self._device)
        padded = torch.cat((scores, scores.new_full((1,), _FAR)))[torch.from_numpy(at).to(self._device)]
        return -(wanted * torch.log_softmax(padded, dim=1)).sum(dim=1).mean()

    def _feeds(self, step: Thinned, rng: np.random.Generator) -> dict[str, npt.NDArray[np.float32]]:
        """Inputs of the network in which each list lacks each ranker, source, plugin and its interests now and then."""
        rows, sizes, lists = step
        told = feeds(self._data, rows, np.repeat(lists, sizes), self._data.features[rows])
        without_some(told, self._components, sizes, self._settings.dropped, rng)
        return told


def thinned(
    data: RankingData, learned: npt.NDArray[np.bool_], negatives: int, rng: np.random.Generator
) -> Thinned:
    """Every positive and about so many other candidates of each learned list (``bool[q]``) that has both."""
    owner = owners(data)
    positives = np.bincount(owner, data.labels > 0, len(data)).astype(np.int64)
    chance = (negatives / np.maximum(data.sizes - positives, 1)).astype(np.float32)
    keep = np.flatnonzero((data.labels > 0) | (rng.random(len(owner), np.float32) < chance[owner]))
    sizes = np.bincount(owner[keep], minlength=len(data))
    both = learned & (positives > 0) & (sizes > positives)
    return Thinned(keep[both[owner[keep]]], sizes[both], np.flatnonzero(both))


def useful(data: RankingData) -> npt.NDArray[np.bool_]:
    """``bool[q]``: which lists have something that was taken and something that was not."""
    owner = owners(data)
    positives = np.bincount(owner, data.labels > 0, len(data))
    return np.asarray((positives > 0) & (positives < data.sizes))


def _some(data: RankingData, held_out: npt.NDArray[np.bool_], seed: int) -> RankingData:
    lists = np.flatnonzero(held_out)
    drawn = np.random.default_rng(seed).permutation(len(lists))[:_MEASURED]
    return data.take(lists[np.sort(drawn)])


def components(names: Sequence[str]) -> list[npt.NDArray[np.intp]]:
    """The columns of each ranker, source and plugin."""
    owners = np.array([name.rpartition(".")[0] if ":" in name else "" for name in names])
    return [np.flatnonzero(owners == c) for c in sorted(set(owners.tolist()) - {""})]


def without_some(
    told: dict[str, npt.NDArray[np.float32]],
    parts: Sequence[npt.NDArray[np.intp]],
    sizes: npt.NDArray[np.int64],
    share: float,
    rng: np.random.Generator,
) -> None:
    """Takes components, and vectors, out of the inputs of some lists, so that a missing one is nothing new.

    Args:
        told: Inputs of the network; changed.
        parts: The feature columns of each component.
        sizes: ``int64[q]``, rows of each list.
        share: Of lists that lack it.
        rng: Decides which.
    """
    for columns in parts:
        gone = np.repeat(rng.random(len(sizes)) < share, sizes)
        told["features"][np.ix_(gone, columns)] = np.nan
    gone = np.repeat(rng.random(len(sizes)) < share, sizes)
    for name in told.keys() - {"features"}:
        told[name][gone] = 0
