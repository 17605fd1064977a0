"""Settings of the reranker, on lists that are made once."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitrine_export.train.parameters import RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.reranker import MIN_LISTS, held_out_fit
from vitrine_export.tuning.quality import Floats, by_list, folds, metric_name, to_choose, user_codes
from vitrine_export.tuning.space import Dimension, Values, dimension
from vitrine_export.tuning.stage import Stage

# With fewer lists to choose or to confirm on, any difference is noise.
_FEWEST = 20
# The share of the shoppers that trials are compared on, and folds of the others.
_CHOOSE, _FOLDS = 0.2, 4


def order_stage(data: RankingData, settings: RerankerSettings, seed: int, *, name: str) -> Stage | str:
    """The search for the settings of the reranker; or why there is none.

    A trial fits trees to four fifths of the shoppers; their number is chosen on the last fifth, and so are the settings.
    In the end the best and the settings of now are measured on the four fifths, by trees that have not seen those
    shoppers (cross-fitting, in folds): the more are asked, the less a gain has to be to stand out.
    """
    trees = _Trees(
        data=data,
        lists=data.thinned(settings.negatives, seed),
        asked=data.take(np.flatnonzero(to_choose(data.subjects, _CHOOSE, seed))),
        settings=settings,
        metric=metric_name(data),
        seed=seed,
    )
    others = np.flatnonzero(~to_choose(data.subjects, _CHOOSE, seed))
    choose = to_choose(trees.lists.subjects, _CHOOSE, seed)
    if (~choose).sum() * (_FOLDS - 1) < MIN_LISTS * _FOLDS or choose.sum() < _FEWEST:
        return (
            f"{len(data):,} lists are too few to learn from, to choose on and to confirm on; tune on more data, or "
            "with more label windows"
        )
    return Stage(
        name=name,
        title="the reranker",
        metric=trees.metric,
        space=_space(settings),
        measure=trees,
        choose=np.ones(len(trees.asked), np.bool_),
        again=trees.across,
        after=2.0 * _FOLDS,
        confirm=np.ones(len(others), np.bool_),
        users=user_codes([data.subjects[i] for i in others.tolist()]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trees:
    """Fits trees to some lists and orders others by them.

    Attributes:
        data: All lists, whole.
        lists: Those of them that there is something to learn from, with fewer candidates.
        asked: Those to choose on, whole.
        settings: The settings of now.
        metric: What is measured.
        seed: Decides everything random.
    """

    data: RankingData
    lists: RankingData
    asked: RankingData
    settings: RerankerSettings
    metric: str
    seed: int

    def __call__(self, values: Values) -> Floats:
        """The lists to choose on, by trees that learned from all others."""
        return self._quality(values, self.lists, self.asked)

    def across(self, values: Values) -> Floats:
        """All others, each by trees that learned from the other folds."""
        others = np.flatnonzero(~to_choose(self.data.subjects, _CHOOSE, self.seed))
        fold = folds([self.data.subjects[i] for i in others.tolist()], _FOLDS, self.seed)
        chosen = to_choose(self.lists.subjects, _CHOOSE, self.seed)
        learned = np.where(chosen, -1, folds(self.lists.subjects, _FOLDS, self.seed))
        quality = np.full(len(others), np.nan)
        for number in range(_FOLDS):
            lists = self.lists.take(np.flatnonzero(learned != number))
            mine = np.flatnonzero(fold == number)
            if mine.size:
                quality[mine] = self._quality(values, lists, self.data.take(others[mine]))
        return quality

    def _quality(self, values: Values, lists: RankingData, asked: RankingData) -> Floats:
        apart = to_choose(lists.subjects, _CHOOSE, self.seed)
        booster, _ = held_out_fit(lists, apart, reranker_with(self.settings, values), self.seed)
        return by_list(booster.predict(asked.features, num_threads=1), asked, self.metric, self.seed)


def reranker_with(settings: RerankerSettings, values: Values) -> RerankerSettings:
    """The settings with some of them replaced."""
    changed: dict[str, Any] = dict(values)
    return replace(settings, **changed)


def _space(settings: RerankerSettings) -> tuple[Dimension, ...]:
    """How far trees may go in telling lists apart; their number follows from it, and is bounded by serving."""
    return (
        dimension("leaves", settings.leaves, 7, 127, integer=True),
        dimension("learning_rate", settings.learning_rate, 0.02, 0.2),
        dimension("rows_a_leaf", settings.rows_a_leaf, 200, 5000, integer=True),
        dimension("l2", settings.l2, 0.1, 100),
        dimension("feature_share", settings.feature_share, 0.2, 1.0, log=False),
    )
