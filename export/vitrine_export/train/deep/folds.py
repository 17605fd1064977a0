"""Trains a network for each fold of shoppers and one on everybody."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from vitrine.domain.ids import tie_keys
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.neural import Curve, Device, LoopSettings, choose_device, train_network
from vitrine_export.train.deep.network import DeepNetwork, crosses
from vitrine_export.train.deep.scoring import feeds, scores_of, tensors
from vitrine_export.train.deep.settings import DeepSettings
from vitrine_export.train.deep.task import DeepTask, components, useful, without_some
from vitrine_export.train.list_metrics import owners
from vitrine_export.train.ranking_data import RankingData

# Below this in a fold there is nothing to learn from.
_MIN_LISTS = 20
# Rows that means and deviations are taken from.
_SAMPLE = 50_000


@dataclass(frozen=True, slots=True)
class TrainedDeep:
    """Networks after training.

    Attributes:
        network: Trained on all lists; on the CPU.
        scores: ``float32[n]``, out of fold: from networks that have seen none of a shopper's lists.
        curves: How training went: fold by fold, then on all lists.
        epochs: Rounds over all lists.
    """

    network: DeepNetwork
    scores: npt.NDArray[np.float32]
    curves: tuple[Curve, ...]
    epochs: int


def train_deep(
    lists: RankingData,
    settings: DeepSettings,
    seed: int,
    progress: Progress = quiet,
    checkpoint: Path | None = None,
) -> TrainedDeep | None:
    """Trains on all folds but one, stopping early by that one, fold by fold; then on all lists.

    The last training takes as many rounds as the others found best on average.

    Args:
        lists: With labels; every column is learned from.
        settings: How.
        seed: Decides everything random.
        progress: Told how far it is.
        checkpoint: Folder of checkpoints, to go on from.

    Returns:
        The networks; ``None`` where a fold has too few lists with both something taken and something not.

    Raises:
        ConfigError: A GPU is demanded and there is none.
        InvalidInput: A checkpoint belongs to other data or settings.
    """
    device = choose_device(settings.device)
    fold = folds_of(lists, settings.folds, seed)
    if np.bincount(fold[useful(lists)], minlength=settings.folds).min() < _MIN_LISTS:
        return None
    start = time.monotonic()
    scores = np.empty(len(lists.labels), np.float32)
    curves: list[Curve] = []
    # Of the work: the folds' networks learn from each list folds − 1 times, the last one once.
    share = (settings.folds - 1) / settings.folds**2
    for k in range(settings.folds):
        told = part_of(progress, k * share, (k + 1) * share)
        seconds = _left(settings, start, (k + 1) * share)
        folder = None if checkpoint is None else checkpoint / f"fold-{k}"
        network, curve = _trained(lists, fold != k, settings, seconds, seed, device, told, folder)
        mine = np.flatnonzero(np.repeat(fold == k, lists.sizes))
        scores[mine] = scores_of(network, lists, device.torch, mine)
        curves.append(curve)
    epochs = max(1, round(float(np.mean([curve.best for curve in curves]))))
    told = part_of(progress, settings.folds * share, 1.0)
    chosen = replace(settings, epochs=epochs)
    everyone, folder = np.ones(len(lists), np.bool_), None if checkpoint is None else checkpoint / "all"
    seconds = _left(settings, start, 1.0)
    network, curve = _trained(lists, everyone, chosen, seconds, seed, device, told, folder)
    return TrainedDeep(network.cpu(), scores, (*curves, curve), epochs)


def folds_of(lists: RankingData, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """``int64[q]``: the fold of each list; all lists of a shopper are in one."""
    keys = tie_keys([f"fold\0{subject}" for subject in lists.subjects], seed)
    return (keys % np.uint64(folds)).astype(np.int64)


def _trained(
    lists: RankingData,
    learned: npt.NDArray[np.bool_],
    settings: DeepSettings,
    seconds: float | None,
    seed: int,
    device: Device,
    progress: Progress,
    checkpoint: Path | None,
) -> tuple[DeepNetwork, Curve]:
    columns, vectors = _sample(lists, learned, settings, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DeepNetwork(columns, vectors, settings.hidden, settings.dropout)
    task = DeepTask(network, lists, learned, settings, seed, device.torch)
    loop = LoopSettings(
        epochs=settings.epochs,
        patience=settings.patience,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        time_limit=seconds,
    )
    return network, train_network(task, loop, seed, device, progress, checkpoint)


def _sample(
    lists: RankingData, learned: npt.NDArray[np.bool_], settings: DeepSettings, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """Columns and crosses of some candidates, as the network meets them: now and then without a component."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(learned[owners(lists)])
    rows = np.sort(rng.choice(rows, min(len(rows), _SAMPLE), replace=False))
    told = feeds(lists, rows, owners(lists)[rows], lists.features[rows])
    without_some(told, components(lists.names), np.ones(len(rows), np.int64), settings.dropped, rng)
    if lists.vectors is None:
        return told["features"], None
    vectors = tensors(told, torch.device("cpu"))
    return told["features"], crosses(vectors["item"], vectors["short"], vectors["long"]).numpy()


def _left(settings: DeepSettings, start: float, until: float) -> float | None:
    """Seconds until a share of the time that training may take has passed."""
    if settings.time_limit is None:
        return None
    return max(settings.time_limit * until - (time.monotonic() - start), 0.0)
