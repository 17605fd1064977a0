"""Trees as an ONNX operator answer what LightGBM answers, to the last bit; what cannot be told so is left to it."""

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.inference.conftest import tree_text
from vitrine.errors import ConfigError
from vitrine.inference import TreeModel, trees
from vitrine.inference.onnx_bytes import _varint, _varints, one_node
from vitrine.inference.provider import open_on_cpu
from vitrine.inference.tree_graph import tree_graph
from vitrine.inference.tree_text import check_text

COLUMNS = 6


def matrix(n: int, seed: int, *, missing: bool = True) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, COLUMNS)).astype(np.float32)
    x[:, 1] = np.round(x[:, 1])
    x[rng.random(x.shape) < 0.3] = 0
    if missing:
        x[rng.random(x.shape) < 0.2] = np.nan
    return x


def model_text(*, missing: bool = True, **parameters: Any) -> bytes:
    x = matrix(3000, 0, missing=missing)
    y = np.nan_to_num(x) @ np.arange(COLUMNS) + np.isnan(x[:, 2]) * 3
    settings = {"objective": "regression", "num_leaves": 31, "verbose": -1, "num_threads": 1, "seed": 1}
    made = lightgbm.train(settings | parameters, lightgbm.Dataset(x, y), 30)
    return str(made.model_to_string()).encode()


def by_the_library(text: bytes, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    found = lightgbm.Booster(model_str=text.decode()).predict(x, raw_score=True, num_threads=1)
    return np.asarray(found, np.float32)


@pytest.mark.parametrize("missing", [True, False])
def test_the_scores_are_the_librarys_to_the_last_bit(missing: bool) -> None:
    text = model_text(missing=missing)
    model = TreeModel(text)
    assert model._session is not None
    for rows in (1, 7, 500):
        # Missing values come in requests though none did in training.
        x = matrix(rows, rows)
        np.testing.assert_array_equal(model.predict(x), by_the_library(text, x))


def test_numbers_at_thresholds_go_the_librarys_way() -> None:
    text = model_text()
    lines = [line for line in text.decode().split("\n") if line.startswith("threshold=")]
    at = np.array([float(n) for line in lines for n in line.partition("=")[2].split(" ")]).astype(np.float32)
    at = np.concatenate(
        [at, np.nextafter(at, np.float32(9)), np.nextafter(at, np.float32(-9)), [1e-38, -1e-38]]
    )
    x = np.repeat(at[:, None], COLUMNS, axis=1).astype(np.float32)
    x[~np.isfinite(x)] = 3e38
    np.testing.assert_array_equal(TreeModel(text).predict(x), by_the_library(text, x))


@pytest.mark.parametrize(
    "text",
    [
        tree_text(),
        model_text(zero_as_missing=True),
        model_text(boosting="rf", bagging_freq=1, bagging_fraction=0.5),
    ],
    ids=["categories", "zeros that are missing", "a mean of trees"],
)
def test_what_cannot_be_told_is_left_to_the_library(text: bytes) -> None:
    checked = check_text(text)
    assert tree_graph(checked) is None
    x = matrix(100, 4)[:, : len(checked.features)].copy()
    np.testing.assert_allclose(TreeModel(text).predict(x), by_the_library(text, x), rtol=1e-6)


def test_without_a_runtime_the_library_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: bytes) -> Any:
        raise ConfigError("ONNX Runtime is not installed")

    monkeypatch.setattr(trees, "open_on_cpu", missing)
    text, x = model_text(), matrix(50, 1)
    np.testing.assert_array_equal(TreeModel(text).predict(x), by_the_library(text, x))


def test_one_node_is_a_model_that_the_runtime_takes() -> None:
    model = one_node(
        "Normalizer", "ai.onnx.ml", {"norm": "MAX"}, ("in", np.float32, 2), ("out", np.float32, 2)
    )
    session = open_on_cpu(model)
    assert [i.shape for i in session.get_inputs()] == [["n", 2]]
    found = session.run(("out",), {"in": np.array([[1, 2], [8, 4]], np.float32)})[0]
    assert found.tolist() == [[0.5, 1], [1, 0.5]]


@pytest.mark.parametrize("most", [1, 2, 128, 129, 1 << 14, 1 << 21, 1 << 40])
def test_many_numbers_are_written_as_one_by_one(most: int) -> None:
    values = np.random.default_rng(1).integers(0, most, 300)
    values[:2] = 0, most - 1
    assert _varints(values) == b"".join(_varint(value) for value in values.tolist())
    assert _varints(values[:0]) == b""
