"""From a PyTorch network to an ONNX file that was seen to answer the same."""

import io
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from vitrine.bundle import ModelFile
from vitrine.config import InferenceConfig
from vitrine.errors import VitrineError
from vitrine.inference import OnnxModel

# ONNX Runtime 1.28 takes opset 23 and IR 11; these are older, so that an older or other runtime takes them too.
OPSET, IR = 18, 10

Array = npt.NDArray[Any]


class ExportError(VitrineError):
    """ONNX Runtime answers otherwise than PyTorch, or the network cannot be exported."""


def export_onnx(
    name: str,
    network: nn.Module,
    inputs: Mapping[str, Array],
    outputs: Sequence[str],
    *,
    tolerance: float,
    features: Sequence[str] = (),
    dynamic: Mapping[str, int] | None = None,
) -> ModelFile:
    """Exports a network and compares what ONNX Runtime answers with what PyTorch answers.

    Compared are all rows at once, each row alone, a few rows, and where the length of inputs is free also shorter
    ones. The first axis of every input is the batch.

    Args:
        name: Of the model.
        network: Its arguments are named as the inputs; on the CPU.
        inputs: A real sample, at least 2 rows; it becomes the golden inputs.
        outputs: Names of the outputs.
        tolerance: By how much they may differ, over max(1, |value|).
        features: What the bundle says of its features.
        dynamic: Inputs with another free axis -> that axis; one length for all of them, cut at the front.

    Raises:
        ExportError: They differ; tells the input, the place and by how much.
    """
    size = len(next(iter(inputs.values())))
    if size < 2:
        raise ExportError(
            f"model {name!r}: {size} rows cannot tell whether the export is right; give at least 2"
        )
    network = network.eval()
    data = _onnx(name, network, inputs, outputs, dynamic or {})
    # On the CPU, where both compute in full precision.
    model = OnnxModel(data, InferenceConfig(provider="cpu"))
    for what, part in _trials(inputs, dynamic or {}):
        _compare(name, what, _torch(network, part, outputs), model.run(part, budget=math.inf), tolerance)
    return ModelFile(
        name=name,
        kind="onnx",
        data=data,
        features=list(features),
        golden_inputs=dict(inputs),
        golden_outputs=_torch(network, inputs, outputs),
        tolerance=tolerance,
        opset=OPSET,
        ir=IR,
    )


def _onnx(
    name: str,
    network: nn.Module,
    inputs: Mapping[str, Array],
    outputs: Sequence[str],
    dynamic: Mapping[str, int],
) -> bytes:
    shapes = {
        n: dict.fromkeys((0, dynamic[n]) if n in dynamic else (0,), torch.export.Dim.DYNAMIC) for n in inputs
    }
    with _quiet():
        program = torch.onnx.export(
            network,
            kwargs={n: torch.from_numpy(np.ascontiguousarray(a)) for n, a in inputs.items()},
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=shapes,
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            optimize=True,
            verbose=False,
        )
    if program is None:
        raise ExportError(f"model {name!r}: PyTorch did not export it")
    proto = program.model_proto
    proto.ir_version = IR
    return bytes(proto.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            # What the exporter says of its own parts' future is nothing that a caller could act on.
            for category in (DeprecationWarning, FutureWarning):
                warnings.filterwarnings(
                    "ignore", category=category, module=r"(torch|onnx|onnxscript|onnx_ir)\b"
                )
            yield
    finally:
        log.setLevel(level)


def _trials(
    inputs: Mapping[str, Array], dynamic: Mapping[str, int]
) -> Iterator[tuple[str, dict[str, Array]]]:
    size = len(next(iter(inputs.values())))
    yield "all rows", dict(inputs)
    yield "3 rows", {n: a[: min(3, size)] for n, a in inputs.items()}
    yield from ((f"row {q} alone", {n: a[q : q + 1] for n, a in inputs.items()}) for q in range(size))
    if dynamic:
        full = min(inputs[n].shape[axis] for n, axis in dynamic.items())
        for length in sorted({1, 2, full // 2, full - 1} - {0, full}):
            yield (
                f"length {length}",
                {n: _last(a, dynamic[n], length) if n in dynamic else a for n, a in inputs.items()},
            )


def _last(array: Array, axis: int, length: int) -> Array:
    return np.ascontiguousarray(np.take(array, np.arange(-length, 0), axis))


@torch.no_grad()
def _torch(network: nn.Module, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
    answers = network(**{n: torch.from_numpy(np.ascontiguousarray(a)) for n, a in inputs.items()})
    answers = answers if isinstance(answers, tuple) else (answers,)
    return {n: a.numpy() for n, a in zip(outputs, answers, strict=True)}


def _compare(
    name: str, what: str, wanted: Mapping[str, Array], found: Mapping[str, Array], tolerance: float
) -> None:
    for output, expected in wanted.items():
        answer = found[output]
        if answer.shape != expected.shape:
            raise ExportError(
                f"model {name!r}, {what}: ONNX Runtime answers {output!r} of shape {answer.shape}, PyTorch of "
                f"{expected.shape}; the export is refused"
            )
        apart = np.abs(answer.astype(np.float64) - expected) / np.maximum(1, np.abs(expected))
        # NaN is no less apart than anything.
        apart = np.where(np.isnan(apart), np.inf, apart)
        if apart.size and apart.max() > tolerance:
            place = tuple(int(i) for i in np.unravel_index(apart.argmax(), apart.shape))
            raise ExportError(
                f"model {name!r}, {what}: output {output!r} at index {place} (input row {place[0]}) is "
                f"{answer[place]:.6g} in ONNX Runtime and {expected[place]:.6g} in PyTorch, {apart.max():.3g} apart "
                f"where {tolerance:g} is allowed; the export is refused"
            )
