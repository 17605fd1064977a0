"""Fits the network and hands it over as a bundle takes it, with the scores that a reranker learns from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ModelFile
from vitrine.features.scale import places, shares
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.neural import Curve, export_onnx
from vitrine_export.train.deep.folds import train_deep
from vitrine_export.train.deep.network import DeepNetwork
from vitrine_export.train.deep.scoring import feeds
from vitrine_export.train.deep.settings import DeepSettings
from vitrine_export.train.deep.task import useful
from vitrine_export.train.list_metrics import ndcg, owners
from vitrine_export.train.ranking_data import RankingData

NAME = "deep"
_COLUMNS = (f"ranker:{NAME}.share", f"ranker:{NAME}.rank")
# Rankers that run after it, or are it.
_LATER = (f"ranker:{NAME}.", "ranker:lightgbm.")
_GOLDEN = 32
# Share of the work when the export begins.
_TRAINED = 0.95


@dataclass(frozen=True, slots=True)
class FittedDeep:
    """A trained network.

    Attributes:
        model: For the bundle: ONNX, verified, with golden inputs and outputs; learned from all lists.
        scores: ``float32[n]``, scores of the lists by networks that have seen none of their shoppers' lists.
        curves: How training went: fold by fold, then on all lists.
        metric: NDCG@20 of `scores`.
        epochs: Rounds over all lists.
        lists: Lists that it learned from.
    """

    model: ModelFile
    scores: npt.NDArray[np.float32]
    curves: tuple[Curve, ...]
    metric: float
    epochs: int
    lists: int

    def with_scores(self, data: RankingData) -> RankingData:
        """The lists with this ranker's two columns as a reranker meets them in serving; any that are there are replaced."""
        columns = (shares(self.scores, data.offsets), places(self.scores, data.offsets))
        kept = [i for i, name in enumerate(data.names) if name not in _COLUMNS]
        names = (*(data.names[i] for i in kept), *_COLUMNS)
        features = np.empty((len(data.features), len(names)), np.float32)
        features[:, : len(kept)] = data.features[:, kept]
        for place, column in enumerate(columns, len(kept)):
            features[:, place] = column
        return replace(data, names=names, features=features)


def fit_deep(
    data: RankingData,
    settings: DeepSettings,
    seed: int,
    *,
    progress: Progress = quiet,
    checkpoint: Path | None = None,
) -> FittedDeep | None:
    """Trains the network, exports it, and verifies the export.

    The same data, settings and seed give the same bits on one thread of a CPU.

    Args:
        data: Lists with labels; columns of this ranker and of rerankers are not read.
        settings: How.
        seed: Decides everything random.
        progress: Told how far it is.
        checkpoint: Folder of checkpoints, to go on from.

    Returns:
        The network; ``None`` where there is too little to learn from.

    Raises:
        ConfigError: A GPU is demanded and there is none.
        InvalidInput: A checkpoint belongs to other data or settings.
        ExportError: ONNX Runtime answers otherwise than PyTorch.
    """
    lists = _without_later(data)
    trained = train_deep(lists, settings, seed, part_of(progress, 0.0, _TRAINED), checkpoint)
    if trained is None:
        return None
    progress("deep: export", _TRAINED)
    model = _exported(trained.network, lists, settings)
    progress("deep: done", 1.0)
    return FittedDeep(
        model=model,
        scores=trained.scores,
        curves=trained.curves,
        metric=ndcg(trained.scores, lists),
        epochs=trained.epochs,
        lists=int(useful(lists).sum()),
    )


def _exported(network: DeepNetwork, lists: RankingData, settings: DeepSettings) -> ModelFile:
    n = len(lists.labels)
    rows = np.unique(np.linspace(0, n - 1, _GOLDEN).astype(np.int64))
    return export_onnx(
        NAME,
        network,
        feeds(lists, rows, owners(lists)[rows], lists.features[rows]),
        ("score",),
        tolerance=settings.tolerance,
        features=lists.keys,
    )


def _without_later(data: RankingData) -> RankingData:
    kept = [i for i, name in enumerate(data.names) if not name.startswith(_LATER)]
    if len(kept) == len(data.names):
        return data
    names = tuple(data.names[i] for i in kept)
    return replace(data, names=names, features=np.ascontiguousarray(data.features[:, kept]))
