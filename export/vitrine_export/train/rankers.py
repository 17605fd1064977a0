"""The rankers that learn from lists: the deep ranker, and the reranker over all the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vitrine.bundle import ModelFile
from vitrine.config import Config
from vitrine.content.model import TextEncoder
from vitrine.dataset import Dataset
from vitrine.progress import Progress, part_of
from vitrine_export.train.base import BaseModels, History, fit_base, read_history
from vitrine_export.train.labels import label_windows
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import FittedReranker, fit_reranker
from vitrine_export.train.windows import window_data

if TYPE_CHECKING:
    from vitrine_export.neural import Curve
    from vitrine_export.train.deep import FittedDeep
    from vitrine_export.train.interest import InterestSettings


@dataclass(slots=True)
class FittedRankers:
    """What was fitted on lists.

    Attributes:
        deep: The deep ranker.
        reranker: The LightGBM reranker.
        interest_epochs: After how many epochs the interest model of the first window was best; 0 when not known.
        lists: How many lists there were.
        off: Ranker that is missing -> why.
        metrics: What was measured on held-out shoppers.
        curves: How the networks learned, in the order of training; of the interest model, on the first window.
    """

    deep: "FittedDeep | None" = None
    reranker: FittedReranker | None = None
    interest_epochs: int = 0
    lists: int = 0
    off: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    curves: list["Curve"] = field(default_factory=list)

    @property
    def models(self) -> Sequence[ModelFile]:
        """For the bundle."""
        return [fitted.model for fitted in (self.deep, self.reranker) if fitted is not None]


def fit_rankers(
    dataset: Dataset,
    history: History,
    parameters: Parameters,
    config: Config,
    seed: int,
    *,
    ridge: float,
    encoder: TextEncoder | None,
    interest: "InterestSettings | None",
    folder: Path,
    progress: Progress,
) -> FittedRankers:
    """Makes lists in the label windows and fits the rankers to them.

    Args:
        dataset: The events.
        history: Those that may be learned from.
        parameters: Settings.
        config: The server's configuration.
        seed: Decides everything random.
        ridge: Ridge of the linear model.
        encoder: A text encoder that is there already.
        interest: Settings of the interest model; ``None`` leaves it out.
        folder: Where finished steps are kept.
        progress: Told how far it is.
    """
    times = history.interactions.times
    if times is None or not len(times):
        return FittedRankers(off=_all("the events have no times, so there are no weeks to learn from"))
    windows = label_windows(float(times.min()), float(times.max()), parameters.label_windows)
    # Kept, because the first window is not fitted again when a training is resumed.
    kept = folder / "interest-curve.json"
    curves = [_read_curve(kept)] if kept.exists() else []

    def fit(moment: datetime, number: int, report: Progress) -> BaseModels:
        # The first window tells how long to train; the others, and the final fit, then need nothing held out.
        settings = replace(interest, epochs=curves[0].best) if interest and curves else interest
        base = fit_base(
            dataset,
            read_history(dataset, moment, seed),
            parameters,
            seed,
            ridge=ridge,
            encoder=encoder,
            interest=settings,
            hold_out=not curves,
            progress=report,
            checkpoint=folder / f"interest-{number}",
        )
        if base.interest is not None and not curves:
            curves.append(base.interest.curve)
            kept.write_bytes(msgspec.json.encode(curves[0]))
        return base

    data = window_data(
        dataset,
        windows,
        config,
        fit,
        folder,
        lists=parameters.label_lists,
        seed=seed,
        progress=part_of(progress, 0.0, 0.7),
    )
    fitted = FittedRankers(interest_epochs=curves[0].best if curves else 0, curves=curves)
    if curves and (metric := curves[0].best_metric) is not None:
        fitted.metrics["ndcg@20_interest"] = metric
    if data is None:
        fitted.off |= _all("nobody came back in the last weeks to learn from")
        return fitted
    fitted.lists = len(data)
    if parameters.neural:
        data = _deep(data, parameters, seed, fitted, part_of(progress, 0.7, 0.85))
    else:
        fitted.off["deep"] = "neural models were not asked for"
    fitted.reranker = fit_reranker(data, seed, progress=part_of(progress, 0.85, 1.0))
    if fitted.reranker is None:
        fitted.off["lightgbm"] = "no list has an item that was taken beside others that were not"
    elif fitted.reranker.metric is not None:
        fitted.metrics["ndcg@20_lightgbm"] = fitted.reranker.metric
    return fitted


def _read_curve(path: Path) -> "Curve":
    from vitrine_export.neural import Curve

    return msgspec.json.decode(path.read_bytes(), type=Curve)


def _deep(
    data: RankingData, parameters: Parameters, seed: int, fitted: FittedRankers, progress: Progress
) -> RankingData:
    """Fits the deep ranker; answers the lists with its columns, from networks that had not seen them."""
    from vitrine_export.train.deep import DeepSettings, fit_deep

    fitted.deep = fit_deep(data, DeepSettings(device=parameters.device), seed, progress=progress)
    if fitted.deep is None:
        fitted.off["deep"] = "too few lists to learn from"
        return data
    fitted.metrics["ndcg@20_deep"] = fitted.deep.metric
    return fitted.deep.with_scores(data)


def _all(why: str) -> dict[str, str]:
    """Why there is none of these rankers."""
    return dict.fromkeys(("deep", "lightgbm"), why)
