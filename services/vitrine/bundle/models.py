"""Models of a bundle: each runs its golden inputs before anyone may use it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.bundle.entries import ModelEntry
from vitrine.bundle.files import BundleFiles
from vitrine.bundle.folder import AGAIN
from vitrine.bundle.model_file import golden_file
from vitrine.config import InferenceConfig
from vitrine.errors import BundleError, ConfigError, VitrineError
from vitrine.inference import OnnxModel, TreeModel

Array = npt.NDArray[Any]
KnownFeatures = Callable[[Sequence[str]], str]

_MAX_TOLERANCE = 0.1
_INPUT_TYPES = ("float32", "int64", "bool")


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was verified and is ready to run.

    Attributes:
        entry: What the manifest says of it.
        runner: What runs it: by `OnnxModel.run`, or by `TreeModel.predict`.
        golden: Its golden inputs and outputs by name, read-only.
    """

    entry: ModelEntry
    runner: OnnxModel | TreeModel
    golden: Mapping[str, Array] = field(repr=False)

    @property
    def onnx(self) -> OnnxModel:
        """Its runner, where it is an ONNX model.

        Raises:
            TypeError: It is of another kind.
        """
        if not isinstance(self.runner, OnnxModel):
            raise TypeError(f"a model of kind {self.entry.kind!r} is no ONNX model")
        return self.runner


def read_models(
    files: BundleFiles, settings: InferenceConfig | None, known_features: KnownFeatures
) -> dict[str, Model]:
    """Loads every model and compares what it answers to its golden inputs.

    Raises:
        BundleError: One does not load, expects features that this program does not compute, or answers otherwise.
        ConfigError: The installation cannot run models of this kind.
    """
    return {
        name: _read_model(files, name, entry, settings, known_features)
        for name, entry in files.manifest.models.items()
    }


def _read_model(
    files: BundleFiles,
    name: str,
    entry: ModelEntry,
    settings: InferenceConfig | None,
    known_features: KnownFeatures,
) -> Model:
    where = files.path / entry.file
    if problem := known_features(entry.features):
        raise BundleError(f"{where}: {problem}; train the bundle again with this version of Vitrine")
    if not 0 < entry.tolerance <= _MAX_TOLERANCE:
        raise BundleError(
            f"{where}: the tolerance of model {name!r} is {entry.tolerance:g}, so its golden outputs would show nothing; {AGAIN}"
        )
    inputs, outputs = _golden(files, name, entry)
    # From memory: what runs is what was hashed.
    data = bytes(files.data(entry.file))
    try:
        runner = (
            OnnxModel(data, settings, batchable=entry.batchable) if entry.kind == "onnx" else TreeModel(data)
        )
        model = f"{where}: model {name!r}"
        _verify(model, runner, entry, inputs, outputs)
        if entry.batchable:
            rest = slice(1, None)
            alone = f"{model} without its first row"
            _verify(
                alone,
                runner,
                entry,
                {n: a[rest] for n, a in inputs.items()},
                {n: a[rest] for n, a in outputs.items()},
            )
        if isinstance(runner, OnnxModel):
            runner.warm(inputs)
    except (BundleError, ConfigError):
        raise
    except (VitrineError, ValueError) as error:
        raise BundleError(f"{where}: model {name!r} does not run ({error}); {AGAIN}") from None
    return Model(entry, runner, inputs | outputs)


def _verify(
    model: str,
    runner: OnnxModel | TreeModel,
    entry: ModelEntry,
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
) -> None:
    if isinstance(runner, TreeModel):
        answers: Mapping[str, Array] = {entry.outputs[0]: runner.predict(inputs[entry.inputs[0]])}
    else:
        # A first run prepares the device, which takes as long as it takes.
        answers = runner.run(inputs, budget=math.inf)
    for output, expected in outputs.items():
        _compare(model, output, answers.get(output), expected, entry.tolerance)


def _golden(files: BundleFiles, name: str, entry: ModelEntry) -> tuple[dict[str, Array], dict[str, Array]]:
    where = files.path / entry.file
    one = entry.kind == "lightgbm"
    if not entry.inputs or not entry.outputs or (one and (len(entry.inputs), len(entry.outputs)) != (1, 1)):
        raise BundleError(f"{where}: model {name!r} lacks golden inputs or outputs; {AGAIN}")
    inputs = {n: files.array_of(golden_file(name, n), _INPUT_TYPES) for n in entry.inputs}
    outputs = {n: files.array_of(golden_file(name, n), ("float32",)) for n in entry.outputs}
    arrays = inputs | outputs
    rows = len(next(iter(arrays.values()))) if all(a.ndim for a in arrays.values()) else 0
    for n, array in arrays.items():
        if not array.size or (entry.batchable and (rows < 2 or len(array) != rows)):
            raise BundleError(
                f"{files.path / golden_file(name, n)}: has shape {array.shape}; "
                + ("all of a model have the same number of rows, at least 2; " if entry.batchable else "")
                + AGAIN
            )
    matrices = {
        n
        for n, a in inputs.items()
        if a.dtype == np.float32 and a.ndim == 2 and a.shape[1] == len(entry.features)
    }
    if (entry.features or one) and not matrices:
        raise BundleError(
            f"{files.path / golden_file(name, entry.inputs[0])}: is not a matrix of the {len(entry.features)} "
            f"features of model {name!r}; {AGAIN}"
        )
    for n, array in arrays.items():
        # In a feature matrix NaN stands for what is missing.
        missing = np.isnan(array) if entry.features and n in matrices else False
        files.finite(golden_file(name, n), np.where(missing, 0, array))
    return inputs, outputs


def _compare(model: str, output: str, answer: Array | None, expected: Array, tolerance: float) -> None:
    if answer is None or answer.shape != expected.shape:
        found = "missing" if answer is None else f"of shape {answer.shape} instead of {expected.shape}"
        raise BundleError(f"{model}: its output {output!r} is {found}; {AGAIN}")
    difference = np.abs(answer.astype(np.float64) - expected) / np.maximum(1, np.abs(expected))
    largest = float(difference.max())
    if not largest <= tolerance:  # NaN is not
        raise BundleError(
            f"{model}: its output {output!r} differs by {largest:.3g} from the golden one, {tolerance:g} is allowed; "
            f"{AGAIN}, and compare the versions of packages in its manifest if it happens again"
        )
