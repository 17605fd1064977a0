"""Small models made here: an affine one, a slow one, one that answers NaN to some rows, and trees."""

from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, checker, helper, numpy_helper

from vitrine.config import InferenceConfig
from vitrine.errors import ConfigError
from vitrine.inference import OnnxModel

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def serialized(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> bytes:
    """A model of the versions that the runtime takes; the package's own defaults are newer."""
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def floats(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


@cache
def affine() -> bytes:
    """``y = x @ WEIGHTS``, a row for a row."""
    return serialized(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [floats("x", "n", 4)],
        [floats("y", "n", 3)],
        [numpy_helper.from_array(WEIGHTS, "w")],
    )


@cache
def logarithm() -> bytes:
    """``y = log(x)``: NaN for a negative number, minus infinity for 0."""
    return serialized(
        [helper.make_node("Log", ["x"], ["y"])], [floats("x", "n", 1)], [floats("y", "n", 1)], []
    )


@cache
def lookup() -> bytes:
    """``y = WEIGHTS[i]``: fails for an index that is not there."""
    return serialized(
        [helper.make_node("Gather", ["w", "i"], ["y"])],
        [helper.make_tensor_value_info("i", TensorProto.INT64, ["n"])],
        [floats("y", "n", 3)],
        [numpy_helper.from_array(WEIGHTS, "w")],
    )


@cache
def slow() -> bytes:
    """``y = x`` after as many products of matrices as ``times`` says: about 1 ms each."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["m", "m_const"], ["m_raw"]),
            helper.make_node("Identity", ["on_in"], ["on_out"]),
            helper.make_node("Identity", ["m_raw"], ["m_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("on_in", TensorProto.BOOL, []),
            floats("m", 256, 256),
        ],
        [helper.make_tensor_value_info("on_out", TensorProto.BOOL, []), floats("m_out", 256, 256)],
    )
    half = np.full((256, 256), 1 / 256, np.float32)
    return serialized(
        [
            helper.make_node("ReduceMax", ["times"], ["trips"], keepdims=0),
            helper.make_node("Loop", ["trips", "", "m_const"], ["m_end"], body=body),
            helper.make_node("ReduceMin", ["m_end"], ["least"], keepdims=0),
            helper.make_node("Mul", ["least", "zero"], ["nothing"]),
            helper.make_node("Add", ["x", "nothing"], ["y"]),
        ],
        [floats("x", "n", 1), helper.make_tensor_value_info("times", TensorProto.INT64, ["n"])],
        [floats("y", "n", 1)],
        [numpy_helper.from_array(half, "m_const"), numpy_helper.from_array(np.zeros((), np.float32), "zero")],
    )


@cache
def tree_text() -> bytes:
    """A ranker of 8 trees over 5 columns, one of them of categories, with values missing."""
    import lightgbm

    random = np.random.default_rng(0)
    x = random.normal(size=(1000, 5)).astype(np.float32)
    x[random.random(x.shape) < 0.1] = np.nan
    x[:, 3] = random.integers(0, 40, len(x))
    labels = (np.nan_to_num(x[:, 0]) + np.sin(x[:, 3]) + random.normal(size=len(x)) > 0.5).astype(int)
    data = lightgbm.Dataset(
        x, labels, group=[20] * 50, feature_name=[f"f.{i}" for i in range(5)], categorical_feature=[3]
    )
    settings = {"objective": "lambdarank", "num_leaves": 7, "verbose": -1, "num_threads": 1, "seed": 1}
    return str(lightgbm.train(settings, data, 8).model_to_string()).encode()


@pytest.fixture(scope="session")
def cuda() -> InferenceConfig:
    """Settings for a GPU; the test is skipped where there is none."""
    settings = InferenceConfig(provider="cuda")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("the installed ONNX Runtime has no CUDA")
    try:
        OnnxModel(affine(), settings)
    except ConfigError as error:
        pytest.skip(str(error))
    return settings
