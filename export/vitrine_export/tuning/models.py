"""Settings of the models that learn from events alone, each measured by itself on the held-out end of the data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vitrine.bundle import Factors
from vitrine.config import Config
from vitrine_export.train.base import ONE_THREAD_ITEMS, History
from vitrine_export.train.co_visitation import fit_co_visitation
from vitrine_export.train.content import content_vectors, fit_encoder, text_items
from vitrine_export.train.factors import fit_factors
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.linear import DEFAULT_RIDGE, fit_linear
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.validate import Holdout, hold_out
from vitrine_export.tuning.quality import Floats, K, halves, of_targets
from vitrine_export.tuning.space import Dimension, Values, dimension
from vitrine_export.tuning.stage import Stage

Vectors = npt.NDArray[np.float32]
# Scores of all n items, ``float32[n]``, by the rows of a history and how much each counts: as in serving.
_Scores = Callable[[npt.NDArray[np.int32], npt.NDArray[np.float64]], npt.NDArray[np.float32]]


def models_stage(
    history: History, parameters: Parameters, config: Config, seed: int, *, name: str
) -> Stage | str:
    """The search for the settings of the item-item models; or why there is none.

    A setting counts by the mean over the models of NDCG@20 of what shoppers newly turned to in the end, from what the
    scores of that model alone put first: no lists have to be made for it.
    """
    # What a shopper is asked with decays as profiles do in serving, not as training has it: else settings would be
    # compared on different questions.
    asked = replace(parameters, half_life_days=config.profile.long_half_life_days)
    holdout = hold_out(history.interactions, asked, seed)
    if holdout is None:
        return "no shopper turned to anything new at the end of the data"
    vectors = _content(history, parameters, seed) if parameters.content_share > 0 else None
    choose, confirm = halves(len(holdout.targets), seed)
    if not confirm.any():
        return "only one shopper turned to anything new at the end of the data"
    return Stage(
        name=name,
        title="the item-item models",
        metric=f"NDCG@{K}",
        space=_space(holdout.before, parameters, vectors is not None),
        measure=_Alone(holdout, parameters, vectors, seed),
        choose=choose,
        confirm=confirm,
        asked="shoppers",
    )


def with_values(parameters: Parameters, values: Values) -> Parameters:
    """The settings with some of them replaced."""
    changed: dict[str, Any] = dict(values)
    return replace(parameters, **changed)


@dataclass(frozen=True, slots=True)
class _Alone:
    """Measures models by themselves.

    Attributes:
        holdout: Whom to ask.
        parameters: The settings of now.
        vectors: Content vectors of all items, where content counts.
        seed: Decides everything random.
    """

    holdout: Holdout
    parameters: Parameters
    vectors: Vectors | None
    seed: int

    def __call__(self, values: Values) -> Floats:
        chosen = with_values(self.parameters, values)
        one_thread = self.holdout.before.item_count <= ONE_THREAD_ITEMS
        with threadpool_limits(1 if one_thread else None):
            qualities = [_quality(scores, self.holdout) for scores in self._fitted(chosen)]
        mean: Floats = np.mean(qualities, axis=0)
        return mean

    def _fitted(self, parameters: Parameters) -> Iterator[_Scores | None]:
        """The models one after the other, so that one at a time takes memory."""
        before = self.holdout.before
        neighbours = fit_co_visitation(before, parameters)
        yield None if neighbours is None else neighbours.scores
        ridge = DEFAULT_RIDGE if parameters.ridge is None else parameters.ridge
        linear = fit_linear(before, parameters, self.seed, ridge, vectors=self.vectors)
        yield None if linear is None else linear.scores
        if parameters.factors > 0:
            factors = fit_factors(before, parameters, self.seed)
            every = np.arange(before.item_count, dtype=np.int32)
            yield None if factors is None else partial(_by_factors, factors, every)


def _by_factors(
    factors: Factors,
    every: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    return factors.scores_at(rows, weights, every)


def _quality(scores_of: _Scores | None, holdout: Holdout) -> Floats:
    """``float64[v]``: NDCG@20 of each shopper, of new items; 0 without a model. Scored by the serving code."""
    found = np.zeros(len(holdout.targets))
    if scores_of is None:
        return found
    history = holdout.history
    for row, targets in enumerate(holdout.targets):
        own = slice(history.indptr[row], history.indptr[row + 1])
        seen = history.indices[own]
        scores = scores_of(seen, history.data[own])
        scores[seen] = 0
        found[row] = of_targets(scores, targets)
    return found


def _content(history: History, parameters: Parameters, seed: int) -> Vectors | None:
    """Content vectors, which no other setting that is searched changes; nothing where no two items share a word."""
    items = text_items(history.table)
    encoder = fit_encoder(items, parameters, seed)
    return None if encoder is None else content_vectors(items, encoder).vectors


def _space(events: Interactions, parameters: Parameters, content: bool) -> tuple[Dimension, ...]:
    """What matters for this data: nothing about time where there is none, nothing of a model that is off."""
    near = parameters.neighbours
    space = [dimension("neighbours", near, max(near / 4, 10), 4 * near, integer=True)]
    if events.times is not None:
        days = parameters.half_life_days
        space.append(dimension("half_life_days", days, days / 8, 8 * days))
        space.append(dimension("session_gap_minutes", parameters.session_gap_minutes, 10, 240))
    ridge = DEFAULT_RIDGE if parameters.ridge is None else parameters.ridge
    space.append(dimension("ridge", ridge, 1, 100))
    if content:
        share = parameters.content_share
        space.append(dimension("content_share", share, share / 8, 8 * share))
    if (rank := parameters.factors) > 0:
        space.append(dimension("factors", rank, max(rank / 4, 1), 2 * rank, integer=True))
    return tuple(space)
