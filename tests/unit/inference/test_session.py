"""One model, one caller: outputs by name, checked, and within their time."""

import math
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.unit.inference.conftest import WEIGHTS, affine, floats, logarithm, lookup, serialized, slow
from vitrine.config import InferenceConfig
from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.inference import OnnxModel
from vitrine.inference.running import Feeds, Outputs

CPU = InferenceConfig(provider="cpu")
# A budget that these machines keep even when they are busy, and a model that cannot.
SHORT, LONG = 0.1, 1_000_000


@pytest.mark.parametrize("batchable", [False, True])
def test_outputs_come_by_name(batchable: bool) -> None:
    model = OnnxModel(affine(), CPU, batchable=batchable)
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    outputs = model.run({"x": x})
    assert (model.inputs, model.outputs, model.output_shapes) == (("x",), ("y",), (("n", 3),))
    assert list(outputs) == ["y"]
    np.testing.assert_allclose(outputs["y"], x @ WEIGHTS, atol=1e-6)


@pytest.mark.parametrize("batchable", [False, True])
@pytest.mark.parametrize("poison", [-1.0, 0.0])
def test_nan_and_infinity_are_errors_that_name_the_output(batchable: bool, poison: float) -> None:
    model = OnnxModel(logarithm(), CPU, batchable=batchable)
    with pytest.raises(InferenceError, match="output 'y' has values that are NaN or infinite"):
        model.run({"x": np.array([[1], [poison]], np.float32)})
    assert model.run({"x": np.ones((1, 1), np.float32)})["y"] == 0


@pytest.mark.parametrize("batchable", [False, True])
def test_wrong_inputs_are_errors_that_name_the_input(batchable: bool) -> None:
    model = OnnxModel(affine(), CPU, batchable=batchable)
    for feeds, problem in (
        ({"z": np.ones((2, 4), np.float32)}, r"\['x'\]\) are missing"),
        ({"x": np.ones((2, 5), np.float32)}, "input: x .* Got: 5 Expected: 4"),
        ({"x": np.ones((2, 4), np.float64)}, r": \(tensor\(double\)\)"),
    ):
        with pytest.raises(InferenceError, match=f"^the model refuses its inputs: [^:]*{problem}"):
            model.run(feeds)


def test_what_the_runtime_says_of_the_inside_of_a_model_stays_inside() -> None:
    with pytest.raises(InferenceError, match=r"^the model failed on its inputs$") as caught:
        OnnxModel(lookup(), CPU).run({"i": np.array([99])})
    assert "Gather" in str(caught.value.__cause__)


@pytest.mark.parametrize("batchable", [False, True])
def test_a_slow_model_is_stopped_and_can_run_again(batchable: bool) -> None:
    model = OnnxModel(slow(), CPU, batchable=batchable)
    x = np.ones((1, 1), np.float32)
    began = time.perf_counter()
    with pytest.raises(InferenceTimeout, match="within its time budget"):
        model.run({"x": x, "times": np.array([LONG])}, budget=SHORT)
    assert SHORT <= time.perf_counter() - began < SHORT + 1
    assert model.run({"x": x, "times": np.array([1])}, budget=60)["y"] == 1


def test_the_budget_is_the_settings_unless_told_otherwise() -> None:
    x, times = np.ones((1, 1), np.float32), np.array([LONG])
    model = OnnxModel(slow(), InferenceConfig(provider="cpu", budget_ms=50))
    assert (model.budget, OnnxModel(slow()).budget) == (0.05, math.inf)
    with pytest.raises(InferenceTimeout):
        model.run({"x": x, "times": times})
    assert model.run({"x": x, "times": np.array([200])}, budget=math.inf)["y"] == 1


def test_more_rows_than_a_joint_run_has_take_longer_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    model = OnnxModel(
        affine(), InferenceConfig(provider="cpu", budget_ms=1000, max_batch_rows=8), batchable=True
    )
    told: list[float] = []

    def run(feeds: Feeds, deadline: float) -> Outputs:
        told.append(deadline - time.monotonic())
        return {}

    assert model._batcher is not None
    monkeypatch.setattr(model._batcher, "run", run)
    for rows in (1, 8, 80):
        model.run({"x": np.ones((rows, 4), np.float32)})
    np.testing.assert_allclose(told, [1, 1, 10], atol=0.5)


@pytest.mark.parametrize("batchable", [False, True])
def test_a_budget_that_is_spent_runs_nothing(batchable: bool) -> None:
    model = OnnxModel(affine(), CPU, batchable=batchable)
    for budget in (0.0, -1.0):
        with pytest.raises(InferenceTimeout):
            model.run({"x": np.ones((1, 4), np.float32)}, budget=budget)


def test_a_model_whose_rows_cannot_be_joined_is_refused() -> None:
    fixed = serialized([helper.make_node("Neg", ["x"], ["y"])], [floats("x", 1, 4)], [floats("y", 1, 4)], [])
    assert OnnxModel(fixed, CPU).inputs == ("x",)
    with pytest.raises(ValueError, match="first axis of the model's 'x' has no free length"):
        OnnxModel(fixed, CPU, batchable=True)


def test_rows_that_get_lost_are_noticed() -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["places"]), helper.make_node("Transpose", ["places"], ["y"])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.INT64, ["m", 2])]
    model = OnnxModel(serialized(nodes, [floats("x", "n", 4)], outputs, []), CPU, batchable=True)
    with pytest.raises(InferenceError, match=r"output 'y' has shape \(8, 2\) for 2 rows"):
        model.run({"x": np.ones((2, 4), np.float32)})


def test_inputs_of_different_lengths_are_an_error() -> None:
    model = OnnxModel(slow(), CPU, batchable=True)
    with pytest.raises(InferenceError, match=r"same number of rows.*'x' \(2, 1\), 'times' \(3,\)"):
        model.run({"x": np.ones((2, 1), np.float32), "times": np.ones(3, np.int64)})
