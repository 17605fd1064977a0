"""Path attributions of real LightGBM models: they add up, and are TreeSHAP's where there is one order only."""

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest

from vitrine.inference import TreeModel
from vitrine.inference.tree_nodes import Tree
from vitrine.inference.tree_paths import PathTable


def _rows(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 5)).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = np.nan
    return x


def _model(**settings: object) -> TreeModel:
    x = _rows(600)
    y = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) * (x[:, 2] > 0) + np.isnan(x[:, 3])
    given = {"num_leaves": 8, "verbosity": -1, "num_threads": 1, "seed": 0, "min_data_in_leaf": 5, **settings}
    booster = lightgbm.train(given, lightgbm.Dataset(x, y), num_boost_round=12)
    return TreeModel(booster.model_to_string().encode())


_FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7, "feature_fraction": 0.7}


@pytest.mark.parametrize("settings", [{}, {"num_leaves": 31}, {"max_depth": 1}, _FOREST])
def test_the_shares_add_up_to_the_score(settings: dict[str, object]) -> None:
    model, x = _model(**settings), _rows(50, 1)
    table = model.paths()
    np.testing.assert_allclose(
        table.base + table.shares(model.leaves(x)).sum(axis=1), model.predict(x), atol=1e-5
    )
    assert table.base == pytest.approx(float(model.contributions(x)[0, -1]), abs=1e-6)


def test_stumps_have_one_order_so_their_shares_are_those_of_treeshap() -> None:
    model, x = _model(max_depth=1), _rows(50, 1)
    np.testing.assert_allclose(
        model.paths().shares(model.leaves(x)), model.contributions(x)[:, :-1], atol=1e-6
    )


def test_groups_are_sums_of_their_columns() -> None:
    model, x = _model(), _rows(50, 1)
    table, leaves = model.paths(), model.leaves(x)
    by_group = table.grouped(np.array([0, 1, 0, 2, 1]), 3).shares(leaves)
    each = table.shares(leaves)
    wanted = np.column_stack([each[:, [0, 2]].sum(axis=1), each[:, [1, 4]].sum(axis=1), each[:, 3]])
    np.testing.assert_allclose(by_group, wanted, atol=1e-6)


def test_a_tree_without_splits_says_nothing_of_any_column() -> None:
    x = _rows(40)
    settings = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 100}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, np.arange(40)), num_boost_round=3)
    model = TreeModel(booster.model_to_string().encode())
    table = model.paths()
    assert not table.values.any()
    np.testing.assert_allclose(table.base, model.predict(x), atol=1e-5)


def test_no_rows_have_no_shares() -> None:
    model = _model()
    leaves = model.leaves(np.empty((0, 5), np.float32))
    assert leaves.shape == (0, model.trees)
    assert model.paths().shares(leaves).shape == (0, 5)


def test_leaves_refuse_what_predict_refuses() -> None:
    with pytest.raises(ValueError, match=r"float32 of shape \(n, 5\)"):
        _model().leaves(np.zeros((2, 4), np.float32))


def test_splits_without_rows_divide_nothing_by_zero() -> None:
    one = np.zeros(1, np.int64)
    tree = Tree(one, np.zeros(1), one, np.array([[1], [2]]), np.array([1.0, 3.0]), np.zeros(2))
    table = PathTable.of([tree], 1)
    assert table.base == 2
    assert table.values.tolist() == [[-1], [1]]
