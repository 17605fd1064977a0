"""Weights of a scene that has no reranker, on lists that are made once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.config import SceneConfig
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.tuning.quality import Floats, by_list, metric_name, to_choose, user_codes
from vitrine_export.tuning.space import Values, dimension
from vitrine_export.tuning.stage import Stage

# How far a weight may go from what it is: distances between weights are factors.
_FACTOR = 20.0
_FEWEST = 20


def weights_stage(data: RankingData, scene: SceneConfig, seed: int, *, name: str, title: str) -> Stage | str:
    """The search for the weights of a scene; or why there is none.

    Nothing is learned from lists here: half of the shoppers are there to choose on, half to confirm. The largest weight
    stays, as a common factor changes no order.
    """
    weights = {n: w for n, w in scene.weights.items() if w > 0 and _column(n) in data.names}
    if len(weights) < 2:
        return "fewer than two of its weights count for an order"
    choose = to_choose(data.subjects, 0.5, seed)
    if min(choose.sum(), (~choose).sum()) < _FEWEST:
        return f"{len(data):,} lists are too few to choose and to confirm on"
    largest = max(weights, key=lambda n: weights[n])
    others = [n for n in weights if n != largest]
    metric = metric_name(data)
    return Stage(
        name=name,
        title=title,
        metric=metric,
        space=tuple(dimension(n, weights[n], weights[n] / _FACTOR, weights[n] * _FACTOR) for n in others),
        measure=_Blend(data, shares(data, list(weights)), weights, metric, seed),
        choose=choose,
        confirm=~choose,
        users=user_codes(data.subjects),
    )


def shares(data: RankingData, names: list[str]) -> npt.NDArray[np.float32]:
    """``float32[n, c]``: what the server multiplies weights with, of components that weights name.

    The columns ``.share`` of the reranker are scores on the scale of the blend (`vitrine.ranking.blend.normalise`), but
    NaN where a component has nothing to say.
    """
    return np.nan_to_num(data.features[:, [data.names.index(_column(n)) for n in names]], nan=0.0)


@dataclass(frozen=True, slots=True)
class _Blend:
    """Orders lists by weighted shares, as a server does before rules and diversity."""

    data: RankingData
    shares: npt.NDArray[np.float32]
    weights: Mapping[str, float]
    metric: str
    seed: int

    def __call__(self, values: Values) -> Floats:
        used = np.array([values.get(n, w) for n, w in self.weights.items()], np.float32)
        return by_list(self.shares @ used, self.data, self.metric, self.seed)


def _column(name: str) -> str:
    """The column of a component that weights name."""
    return f"{name if name.startswith('source:') else f'ranker:{name}'}.share"
