"""Settings of the reranker, tuned by a training itself, on the lists that it makes anyway."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.progress import Progress, quiet
from vitrine_export.evaluate.tuned import Tuned
from vitrine_export.train.parameters import Parameters, RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import HeldOutTrees, held_out_fit, held_out_shoppers
from vitrine_export.tuning.journal import journal_in
from vitrine_export.tuning.order import reranker_with
from vitrine_export.tuning.quality import Floats, by_list, metric_name, sample, to_choose, user_codes
from vitrine_export.tuning.search import search
from vitrine_export.tuning.space import Dimension, Values, dimension, starts
from vitrine_export.tuning.stage import Limits, Stage, Tried

_WHAT = "the reranker"
# Trees that are allowed, times candidates to learn from: a trial takes seconds, however much data there is. With far
# fewer candidates than the final fit has, slow learning would look better than it is.
_WORK = 40_000_000
# The share of their shoppers that trials are compared on.
_CHOOSE = 0.25
# With fewer lists to learn from, to choose or to confirm on, any difference is noise, whatever its interval says.
_FEWEST = 200
# A fifth of the shoppers is confirmed on, a fifth chosen on.
_PARTS = 5
# Few trials: the estimator is to propose some of them, too.
_AT_RANDOM = 4


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to fit the reranker with.

    Attributes:
        settings: The settings.
        begun: Its trees of the shoppers that are not held out, where tuning has fitted them.
        tuned: What came of tuning.
    """

    settings: RerankerSettings
    begun: HeldOutTrees | None
    tuned: Tuned


def tune_reranker(
    data: RankingData, parameters: Parameters, seed: int, folder: Path, progress: Progress = quiet
) -> Chosen | str:
    """Tries settings of the reranker, as many as the parameters say, and takes the best where it is surely better.

    Nobody decides about what was chosen on them. Training holds a fifth of the shoppers out to find the number of trees;
    trials know nothing of these: they learn from some of the other shoppers and are compared on others of them. Then
    the best and the settings of now are fitted as training does it, and are compared on the fifth. Both take their
    number of trees from it, which flatters both alike. The best stays where the whole 95 % interval of its gain lies
    above 0 (paired bootstrap over shoppers).

    Args:
        data: The lists.
        parameters: Settings of training.
        seed: Decides everything random.
        folder: Where trials are kept, to go on from.
        progress: Told how far it is.

    Returns:
        What to fit with; or why nothing was tuned.
    """
    begun, settings = time.monotonic(), parameters.reranker
    lists = data.thinned(settings.negatives, seed)
    apart = held_out_shoppers(lists.subjects, seed)
    trees = _Trees(data, lists, settings, metric_name(data), seed)
    chosen = to_choose(lists.subjects, _CHOOSE, seed)
    drawn = sample(lists, np.flatnonzero(~apart), _rows(lists, settings), seed)
    some, choose = lists.take(drawn), chosen[drawn]
    fewest = min(part.sum() for part in (apart, chosen & ~apart, ~chosen & ~apart))
    if fewest < _FEWEST or not 0 < choose.sum() < len(choose):
        return (
            f"{len(lists):,} lists with an answer are too few to choose and to confirm on: {_FEWEST} are needed for "
            f"each, about {_PARTS * _FEWEST:,} in all"
        )
    mine = {who for who, asks in zip(some.subjects, choose.tolist(), strict=True) if asks}
    asked = data.take(np.flatnonzero([who in mine for who in data.subjects]))
    confirm = np.flatnonzero(held_out_shoppers(data.subjects, seed))
    stage = Stage(
        name="reranker",
        title=_WHAT,
        metric=trees.metric,
        space=_near(settings),
        measure=lambda values: trees.measured(values, some, choose, asked),
        choose=np.ones(len(asked), np.bool_),
        again=lambda values: trees.as_trained(values, apart, confirm),
        after=2 * len(lists.labels) / max(len(some.labels), 1),
        confirm=np.ones(len(confirm), np.bool_),
        users=user_codes([data.subjects[i] for i in confirm.tolist()]),
    )
    minutes = parameters.tune_minutes
    limits = Limits(parameters.trials, None if minutes is None else begun + 60 * minutes)

    def told(_: Stage, tried: Tried, best: Tried) -> None:
        progress(
            f"tuning: trial {tried.number + 1}, {trees.metric} {tried.quality:.4f}, best {best.quality:.4f}",
            0.7 * limits.share(tried.number + 1),
        )

    progress("tuning", 0.0)
    journal = journal_in(folder)
    found = search(stage, journal, limits, seed, told, to_the_end=True, at_random=_AT_RANDOM)
    now = None if found.gain is None else journal.measured("reranker again", starts(stage.space))
    tuned = Tuned(
        what=_WHAT,
        measure=trees.metric,
        trials=len(found.tried),
        defaults=starts(stage.space),
        best=found.best.values,
        compared=len(asked),
        confirmed=len(confirm),
        without=None if now is None else float(np.nanmean(now)),
        gain=found.gain,
        better=found.better,
        seconds=time.monotonic() - begun,
    )
    return Chosen(reranker_with(settings, found.values), trees.kept(found.values), tuned)


def _rows(lists: RankingData, settings: RerankerSettings) -> int:
    """How many candidates trials get: of so many lists at least as it takes not to be noise."""
    least = _PARTS * _FEWEST * float(lists.sizes.mean()) if len(lists) else 0
    return max(_WORK // settings.rounds, round(least))


def _near(settings: RerankerSettings) -> tuple[Dimension, ...]:
    """What moves the figure most, between half and twice what it is: few trials find nothing in a wide space."""
    leaves, rate = settings.leaves, settings.learning_rate
    return (
        dimension("leaves", leaves, max(leaves / 2, 4), 2 * leaves, integer=True),
        dimension("learning_rate", rate, rate / 2, 2 * rate),
        dimension("feature_share", settings.feature_share, 0.25, 1.0, log=False),
    )


class _Trees:
    """Fits trees, and orders by them lists that they have not seen."""

    def __init__(
        self, data: RankingData, lists: RankingData, settings: RerankerSettings, metric: str, seed: int
    ) -> None:
        self.metric = metric
        self._data, self._lists, self._settings, self._seed = data, lists, settings, seed
        self._kept: list[tuple[Values, HeldOutTrees]] = []

    def measured(self, values: Values, lists: RankingData, choose: Any, asked: RankingData) -> Floats:
        """A trial."""
        trees = held_out_fit(lists, choose, reranker_with(self._settings, values), self._seed)
        return self._quality(trees, asked)

    def as_trained(self, values: Values, apart: Any, asked: Any) -> Floats:
        """The shoppers whom training holds out, by the trees that it then would fit."""
        trees = held_out_fit(self._lists, apart, reranker_with(self._settings, values), self._seed)
        self._kept.append((values, trees))
        return self._quality(trees, self._data.take(asked))

    def kept(self, values: Values) -> HeldOutTrees | None:
        """The trees of `as_trained`, where they were fitted here and not read from a journal."""
        return next((trees for known, trees in self._kept if known == values), None)

    def _quality(self, trees: HeldOutTrees, asked: RankingData) -> Floats:
        scores = trees[0].predict(asked.features, num_threads=1)
        return by_list(scores, asked, self.metric, self._seed)
