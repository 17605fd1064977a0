"""The rankers that learn from lists: the deep ranker, and the reranker over all the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vitrine.bundle import ModelFile
from vitrine.config import Config
from vitrine.content.model import TextEncoder
from vitrine.dataset import Dataset
from vitrine.hosting import Plugin
from vitrine.progress import Progress, part_of
from vitrine_export.exams import Exam, held_out_exams, without_times
from vitrine_export.exams.weeks import Window, label_windows
from vitrine_export.resumed import write_whole
from vitrine_export.train.base import BaseModels, History, fit_base, read_history
from vitrine_export.train.contributed import Contributions
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import MIN_LISTS, FittedReranker, fit_reranker
from vitrine_export.train.windows import most_lists, window_data

if TYPE_CHECKING:
    from vitrine_export.evaluate.tuned import Tuned
    from vitrine_export.neural import Curve
    from vitrine_export.train.deep import FittedDeep
    from vitrine_export.train.interest import InterestSettings


@dataclass(frozen=True, slots=True)
class RankerInputs:
    """What rankers are fitted from.

    Attributes:
        dataset: The events.
        history: Those that may be learned from.
        parameters: Settings.
        config: The server's configuration.
        seed: Decides everything random.
        ridge: Ridge of the linear model.
        encoder: A text encoder that is there already.
        interest: Settings of the interest model; ``None`` leaves it out.
        folder: Where finished steps are kept.
        plugins: The plugins that were found; looked for unless told.
    """

    dataset: Dataset
    history: History
    parameters: Parameters
    config: Config
    seed: int
    ridge: float
    encoder: TextEncoder | None
    interest: "InterestSettings | None"
    folder: Path
    plugins: Sequence[Plugin] | None = None


@dataclass(slots=True)
class FittedRankers:
    """What was fitted on lists.

    Attributes:
        deep: The deep ranker.
        reranker: The LightGBM reranker.
        interest_epochs: After how many epochs the interest model of the first window was best; 0 when not known.
        lists: How many lists there were.
        off: Ranker that is missing, or ``features:PLUGIN`` for columns that are -> why.
        texts: Words of the columns that plugins contributed, by name.
        metrics: What was measured on held-out shoppers.
        curves: How the networks learned, in the order of training; of the interest model, on the first window.
        tuned: What came of tuning the reranker; ``None`` where none was asked for.
    """

    deep: "FittedDeep | None" = None
    reranker: FittedReranker | None = None
    interest_epochs: int = 0
    lists: int = 0
    off: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    curves: list["Curve"] = field(default_factory=list)
    tuned: "Tuned | None" = None

    @property
    def models(self) -> Sequence[ModelFile]:
        """For the bundle."""
        return [fitted.model for fitted in (self.deep, self.reranker) if fitted is not None]


@dataclass(slots=True)
class RankingLists:
    """The lists that rankers learn from, and what making them told.

    Attributes:
        data: The lists; ``None`` where there are none.
        curves: How the interest model of the first exam learned.
        off: What is missing, and why.
    """

    data: RankingData | None = None
    curves: list["Curve"] = field(default_factory=list)
    off: dict[str, str] = field(default_factory=dict)


def held_out(
    dataset: Dataset, history: History, parameters: Parameters, config: Config, folder: Path, seed: int
) -> tuple[Iterator[Exam], int]:
    """The exams that rankers learn from, each made as it is asked for, and how many they are; none where data is short.

    Args:
        dataset: The events.
        history: Those that may be learned from.
        parameters: Settings.
        config: The server's configuration.
        folder: Where finished steps are kept.
        seed: Decides everything random.
    """
    weeks: list[Window] = []
    if parameters.holdout == "weeks":
        times = history.interactions.times
        if times is not None and len(times):
            weeks = label_windows(float(times.min()), float(times.max()), parameters.label_windows)
    elif dataset.has.times:
        # What came after the end of the history is no answer to learn from.
        dataset = without_times(dataset, folder / "without-times", history.until, seed)
    count = len(weeks) if parameters.holdout == "weeks" else parameters.label_windows
    # Only baskets of data with times are asked about.
    cart = parameters.holdout == "weeks"
    most = most_lists(parameters.label_lists, max(count, 1), config, cart=cart)
    return held_out_exams(dataset, weeks, parameters, config.scenes, folder, lists=most, seed=seed), count


def ranking_lists(inputs: RankerInputs, progress: Progress) -> RankingLists:
    """Holds something out, fits base models to the rest, and has the serving code make lists with them."""
    dataset, history, parameters, config = inputs.dataset, inputs.history, inputs.parameters, inputs.config
    seed, folder = inputs.seed, inputs.folder
    times = history.interactions.times
    if parameters.holdout == "weeks" and (times is None or not len(times)):
        return RankingLists(off=_all("the events have no times, so there are no weeks to learn from"))
    if dataset.items() is None:
        return RankingLists(
            off=_all("the data set has no table of items to make lists of; `vitrine import` makes one")
        )
    exams, count = held_out(dataset, history, parameters, config, folder, seed)
    # Kept, because a window that is there is not fitted again when a training is resumed.
    kept = folder / "interest-curve.json"
    first, curves = _read_curve(kept) if kept.exists() else (-1, [])

    def fit(exam: Exam, number: int, report: Progress) -> BaseModels:
        nonlocal first
        # The first window tells how long to train; the others, and the final fit, then need nothing held out. Cut off
        # before it was written, it is fitted as it was begun.
        hold_out = not curves or number == first
        interest = inputs.interest
        if interest is not None and not hold_out:
            interest = replace(interest, epochs=curves[0].best)
        moment = None if exam.until is None else datetime.fromtimestamp(exam.until, UTC)
        base = fit_base(
            exam.learn,
            read_history(exam.learn, moment, seed),
            parameters,
            seed,
            ridge=inputs.ridge,
            encoder=inputs.encoder,
            interest=interest,
            hold_out=hold_out,
            progress=report,
            checkpoint=folder / f"interest-{number}",
        )
        if base.interest is not None and not curves:
            first = number
            curves.append(base.interest.curve)
            write_whole(kept, msgspec.json.encode((first, curves)))
        return base

    told = Contributions(config.features)
    data = window_data(
        exams, count, config, fit, folder, progress=progress, plugins=inputs.plugins, contributions=told
    )
    found = RankingLists(data, curves, dict(told.off))
    if data is None:
        found.off |= _all("nobody who was known took anything in the last weeks that lists could foresee")
    return found


def fit_rankers(inputs: RankerInputs, progress: Progress) -> FittedRankers:
    """Makes lists and fits the rankers to them."""
    parameters, seed, folder = inputs.parameters, inputs.seed, inputs.folder
    lists = ranking_lists(inputs, part_of(progress, 0.0, 0.7))
    curves, data = lists.curves, lists.data
    fitted = FittedRankers(interest_epochs=curves[0].best if curves else 0, curves=curves, off=lists.off)
    if curves and (metric := curves[0].best_metric) is not None:
        fitted.metrics["ndcg@20_interest"] = metric
    if data is None:
        return fitted
    fitted.lists = len(data)
    fitted.texts = {name: column.text for name, column in data.contributed.items()}
    if parameters.neural:
        data = _deep(data, parameters, seed, fitted, folder / "deep", part_of(progress, 0.7, 0.85))
    else:
        fitted.off["deep"] = "neural models were not asked for"
    _reranker(data, parameters, seed, fitted, folder / "tuning", part_of(progress, 0.85, 1.0))
    if fitted.reranker is None:
        fitted.off["lightgbm"] = (
            f"fewer than {MIN_LISTS} lists have an item that was taken beside others that were not"
        )
    else:
        # On the same lists, so that they compare; of "interest", the figure on next visits stays.
        fitted.metrics |= {f"ndcg@20_{n}": v for n, v in fitted.reranker.ndcg.items() if n != "interest"}
    return fitted


def _read_curve(path: Path) -> tuple[int, list["Curve"]]:
    """The window that told how long to train the interest model, and how that went."""
    from vitrine_export.neural import Curve

    return msgspec.json.decode(path.read_bytes(), type=tuple[int, list[Curve]])


def _deep(
    data: RankingData,
    parameters: Parameters,
    seed: int,
    fitted: FittedRankers,
    checkpoint: Path,
    progress: Progress,
) -> RankingData:
    """Fits the deep ranker; answers the lists with its columns, from networks that had not seen them."""
    from vitrine_export.train.deep import DeepSettings, fit_deep

    settings = DeepSettings(device=parameters.device)
    fitted.deep = fit_deep(data, settings, seed, progress=progress, checkpoint=checkpoint)
    if fitted.deep is None:
        fitted.off["deep"] = "too few lists to learn from"
        return data
    fitted.metrics["ndcg@20_deep"] = fitted.deep.metric
    return fitted.deep.with_scores(data)


def _reranker(
    data: RankingData,
    parameters: Parameters,
    seed: int,
    fitted: FittedRankers,
    folder: Path,
    progress: Progress,
) -> None:
    """Fits the reranker, with settings that are tuned on these lists where that is asked for."""
    settings, begun, share = parameters.reranker, None, 0.0
    if parameters.trials > 1:
        from vitrine_export.tuning.within import tune_reranker

        share = 0.5
        chosen = tune_reranker(data, parameters, seed, folder, part_of(progress, 0.0, share))
        if isinstance(chosen, str):
            fitted.off["tuning"] = chosen
        else:
            settings, begun, fitted.tuned = chosen.settings, chosen.begun, chosen.tuned
    fitted.reranker = fit_reranker(
        data, seed, settings=settings, begun=begun, progress=part_of(progress, share, 1.0)
    )


def _all(why: str) -> dict[str, str]:
    """Why there is none of these rankers."""
    return dict.fromkeys(("deep", "lightgbm"), why)
