"""Tiny models with their golden values, made without torch. Their golden outputs are computed in NumPy."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from vitrine.bundle import InterestTable, ModelFile
from vitrine.features import keys_of

# What the runtime takes; the package's own defaults are newer.
OPSET, IR = 21, 10
FEATURES = ("item.popularity", "item.age_days", "history.views", "taste.brand")

Array = npt.NDArray[Any]


def interest_model(dimensions: int = 4, *, seed: int = 0) -> ModelFile:
    """The model "interest" with the right inputs and outputs: sums of vectors that fade with their age."""
    rng = np.random.default_rng(seed)
    d = dimensions
    weights = rng.normal(size=(d, d)).astype(np.float32)
    model = _model(
        "interest",
        [
            helper.make_node("Greater", ["types", "zero_type"], ["there"]),
            helper.make_node("Cast", ["there"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["ages", "one"], ["older"]),
            helper.make_node("Div", ["mask", "older"], ["fading"]),
            helper.make_node("Unsqueeze", ["fading", "last"], ["column"]),
            helper.make_node("Mul", ["recent", "column"], ["faded"]),
            helper.make_node("ReduceSum", ["faded", "middle"], ["summed"], keepdims=0),
            helper.make_node("MatMul", ["summed", "weights"], ["short"]),
            helper.make_node("MatMul", ["history", "weights"], ["long"]),
            helper.make_node("Add", ["short", "long"], ["interest"]),
        ],
        {
            "recent": (TensorProto.FLOAT, ["b", "l", d]),
            "types": (TensorProto.INT64, ["b", "l"]),
            "ages": (TensorProto.FLOAT, ["b", "l"]),
            "history": (TensorProto.FLOAT, ["b", d]),
        },
        {name: ["b", d] for name in ("short", "long", "interest")},
        {
            "zero_type": np.array(0, np.int64),
            "one": np.array(1, np.float32),
            "last": np.array([-1], np.int64),
            "middle": np.array([1], np.int64),
            "weights": weights,
        },
    )
    types = np.array([[0, 0, 2], [0, 1, 3], [4, 1, 2]], np.int64)
    recent = rng.normal(size=(3, 3, d)).astype(np.float32) * (types > 0)[:, :, None]
    ages = rng.uniform(0, 9, (3, 3)).astype(np.float32)
    history = rng.normal(size=(3, d)).astype(np.float32)
    short = np.einsum("bld,bl->bd", recent, (types > 0) / (1 + ages)) @ weights
    long = history @ weights
    return ModelFile(
        name="interest",
        kind="onnx",
        data=model.SerializeToString(),
        features=(),
        golden_inputs={"recent": recent.astype(np.float32), "types": types, "ages": ages, "history": history},
        golden_outputs={
            name: value.astype(np.float32)
            for name, value in (("short", short), ("long", long), ("interest", short + long))
        },
        tolerance=1e-5,
        opset=OPSET,
        ir=IR,
    )


def interest_table(items: int, dimensions: int = 4, content: int | None = None) -> InterestTable:
    """Vectors of n items, and a projection of content vectors of that length."""
    rng = np.random.default_rng(items)
    projection = None if content is None else rng.normal(size=(content, dimensions)).astype(np.float32)
    return InterestTable(rng.normal(size=(items, dimensions)).astype(np.float32), projection, length=20)


def deep_model(features: Sequence[str] = FEATURES, *, name: str = "deep", seed: int = 0) -> ModelFile:
    """A perceptron ``features float32[n, f]`` -> ``score float32[n]``; NaN counts as 0."""
    rng = np.random.default_rng(seed)
    f, h = len(features), 8
    first, second = rng.normal(size=(f, h)).astype(np.float32), rng.normal(size=h).astype(np.float32)
    model = _model(
        name,
        [
            helper.make_node("IsNaN", ["features"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "features"], ["filled"]),
            helper.make_node("MatMul", ["filled", "first"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("MatMul", ["active", "second"], ["score"]),
        ],
        {"features": (TensorProto.FLOAT, ["n", f])},
        {"score": ["n"]},
        {"zero": np.array(0, np.float32), "first": first, "second": second},
    )
    golden = _features(6, f, seed)
    score = np.maximum(np.nan_to_num(golden, nan=0) @ first, 0) @ second
    return ModelFile(
        name=name,
        kind="onnx",
        data=model.SerializeToString(),
        features=keys_of(features),
        golden_inputs={"features": golden},
        golden_outputs={"score": score.astype(np.float32)},
        tolerance=1e-5,
        opset=OPSET,
        ir=IR,
    )


@lru_cache
def tree_model(features: tuple[str, ...] = FEATURES, *, name: str = "lightgbm", trees: int = 5) -> ModelFile:
    """Boosted trees ``features float32[n, f]`` -> ``score float32[n]``, fitted on noise."""
    import lightgbm

    x = _features(400, len(features), 1)
    y = np.nan_to_num(x[:, 0], nan=0.5) + np.nan_to_num(x[:, -1], nan=0) ** 2
    settings = {"num_threads": 1, "verbosity": -1, "num_leaves": 6, "deterministic": True, "seed": 0}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y), num_boost_round=trees)
    golden = _features(8, len(features), 2)
    return ModelFile(
        name=name,
        kind="lightgbm",
        data=booster.model_to_string().encode(),
        features=keys_of(features),
        golden_inputs={"features": golden},
        golden_outputs={"score": np.asarray(booster.predict(golden, num_threads=1), np.float32)},
        tolerance=1e-6,
    )


def _features(rows: int, columns: int, seed: int) -> npt.NDArray[np.float32]:
    """Columns with a tenth missing."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


def _model(
    name: str,
    nodes: Sequence[NodeProto],
    inputs: dict[str, tuple[int, list[str | int]]],
    outputs: dict[str, list[str | int]],
    constants: dict[str, Array],
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs.items()],
        [numpy_helper.from_array(value, n) for n, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    checker.check_model(model)
    return model
