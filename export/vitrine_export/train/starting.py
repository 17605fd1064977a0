"""Trees that say what the weights of a scene say: where the trees of the reranker start from."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# Steps of a tree, trees of a column, and rows that they are fitted to: the second halves the steps of the first.
_STEPS, _PASSES, _ROWS = 255, 2, 100_000


def share_weights(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """The weights of a scene by the column that each multiplies; those above 0 whose column is there."""
    columns = {
        f"{name if name.startswith('source:') else f'ranker:{name}'}.share": weight
        for name, weight in weights.items()
    }
    return {name: weight for name, weight in columns.items() if weight > 0 and name in names}


def starting_trees(
    columns: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int8],
    names: Sequence[str],
    weights: Mapping[str, float],
    seed: int,
) -> Any:
    """Trees whose score is the weighted sum of shares, as the logarithm of the odds that a candidate is taken.

    Boosting that starts from a good order learns what that lacks, instead of the order itself, and where it learns
    nothing the order stays: the first model of Friedman, "Greedy function approximation" (Annals of Statistics 2001,
    algorithm 1, line 1) need not be a constant. The scale is that of Platt, "Probabilistic outputs for support vector
    machines" (1999, equation 1). Written as trees of one column each, it is served, checked and explained like all others.

    Args:
        columns: ``float32[n, f]``, features; NaN counts as 0.
        labels: ``int8[n]``, 1 for a candidate that was taken.
        names: Of the columns, as LightGBM is given them.
        weights: By name of a column; all above 0.
        seed: Decides everything random.

    Returns:
        A booster; ``None`` where nothing is weighed, or what is weighed speaks against what is taken.
    """
    if not weights:
        return None
    import lightgbm
    from sklearn.linear_model import LogisticRegression

    rows, taken = (array[:: max(1, len(columns) // _ROWS)] for array in (columns, labels))
    places = [names.index(name) for name in weights]
    terms = np.nan_to_num(rows[:, places], nan=0.0).astype(np.float64) * np.array(list(weights.values()))
    if not 0 < np.count_nonzero(taken) < len(taken):
        return None
    scaled = LogisticRegression(C=1e6).fit(terms.sum(axis=1)[:, None], taken)
    slope, odds = float(scaled.coef_[0, 0]), float(scaled.intercept_[0])
    if slope <= 0:
        return None
    settings = {
        "objective": "regression",
        "boost_from_average": False,
        "learning_rate": 1.0,
        "num_leaves": _STEPS,
        "max_bin": 4 * _STEPS,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    booster = None
    for place, term in zip(places, terms.T, strict=True):
        # All but one column are constant, so that no tree asks for two: it must not matter what else is missing.
        alone = np.zeros_like(rows)
        alone[:, place] = rows[:, place]
        before = odds if booster is None else booster.predict(alone, num_threads=1)
        data = lightgbm.Dataset(alone, slope * term + before, feature_name=list(names))
        booster = lightgbm.train(settings, data, _PASSES, init_model=booster)
    return booster
