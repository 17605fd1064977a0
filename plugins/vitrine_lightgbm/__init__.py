"""Reranker `lightgbm`: gradient-boosted trees over the scores of all other rankers and the feature columns.

LambdaRank (Burges 2010, "From RankNet to LambdaRank to LambdaMART: an overview", section 7) as LightGBM fits it, on
lists that the serving code made in weeks that came before those it serves. A ranker that is missing has NaN in its
columns, as a plugin that contributes some has, which the trees have met in training.

What a score is made of is told twice. Answers take path attributions (`vitrine.inference.tree_paths`), a look-up by
leaf; who asks for an explanation gets SHAP values by TreeSHAP, which are exact and fifty times as dear.
"""

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import ReasonCode
from vitrine.domain.columns import column, names_of, plugins_in, rankers_in
from vitrine.inference import TreeModel
from vitrine.plugin import Attribution, Batch, FeatureColumns, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1

# More batches than are ever worked on at once.
_KEPT = 16


class LambdaRank:
    """Scores candidates by trees; only the order of the scores within a query means anything.

    Attributes:
        groups: The groups of its columns, as `vitrine.plugin.Attributor` has them.
        after: The rankers whose scores and the plugins whose columns it reads, as `vitrine.plugin.Follower` has them.
    """

    name = "lightgbm"
    version = "1.1"
    reason: ReasonCode | None = None
    budget_ms = 150.0

    def __init__(self, trees: TreeModel, features: tuple[str, ...]) -> None:
        self._trees = trees
        self._features = features
        self.after = tuple(dict.fromkeys(rankers_in(features) + plugins_in(features)))
        of_columns = [column(name).group for name in features]
        self.groups = tuple(dict.fromkeys(of_columns))
        numbers = np.array([self.groups.index(group) for group in of_columns], np.int64)
        self._paths = trees.paths().grouped(numbers, len(self.groups))
        # What was scored, as long as its batch lives: reasons are asked for list by list.
        self._scored: WeakKeyDictionary[FeatureColumns, Scores] = WeakKeyDictionary()

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        return self._trees.predict(self._matrix(batch))

    def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
        """``float32[m, groups]``: path attributions, added up by group."""
        return self._paths.shares(self._trees.leaves(self._matrix(batch)[positions]))

    def attribute(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Attribution:
        """SHAP values of m candidates."""
        values = self._matrix(batch)[positions]
        shares = self._trees.contributions(values)
        base = float(shares[0, -1]) if len(shares) else 0.0
        return Attribution(self._features, values, shares[:, :-1], base)

    def _matrix(self, batch: Batch) -> Scores:
        matrix = self._scored.get(batch.features)
        if matrix is None:
            if len(self._scored) >= _KEPT:
                # Batches that nobody works on any more, but for whom the collector has not come yet.
                self._scored.clear()
            matrix = self._scored[batch.features] = batch.features.matrix(self._features)
        return matrix


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> LambdaRank:
    """Makes the ranker from the bundle's trees."""
    model = None if load.bundle is None else load.bundle.bundle.models.get("lightgbm")
    if model is None or not isinstance(model.runner, TreeModel):
        raise MissingData(
            "the bundle has no LightGBM model; `vitrine train` makes one where the events have times"
        )
    return LambdaRank(model.runner, names_of(model.entry.features))
