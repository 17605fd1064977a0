"""Models as training hands them over."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from vitrine.bundle.entries import ModelEntry
from vitrine.errors import BundleError

Array = npt.NDArray[Any]

_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model as training hands it over.

    Attributes:
        name: Its name: lower-case letters, digits and underscores, as the names of inputs and outputs are.
        kind: What runs it.
        data: The ONNX file without external data, or the text of a LightGBM model.
        features: Feature columns that it expects, in order, as ``name:dtype:version``.
        golden_inputs: Real inputs by name, some hundred rows: what they do not touch is not verified. A model of kind "lightgbm" has one, ``float32[n, f]``.
        golden_outputs: What the trained model answered to them, ``float32``. One for kind "lightgbm".
        tolerance: By how much a run may differ from that, over max(1, |golden|); more than 0, at most 0.1.
        batchable: Row i of every output depends on row i of the inputs alone, so that requests may share a run. Then
            the golden arrays have the same number of rows, at least 2; that it is so is verified on them.
        opset: Version of the ONNX operators.
        ir: Version of the ONNX file format.
    """

    name: str
    kind: Literal["onnx", "lightgbm"]
    data: bytes
    features: Sequence[str]
    golden_inputs: Mapping[str, Array]
    golden_outputs: Mapping[str, Array]
    tolerance: float = 1e-4
    batchable: bool = True
    opset: int | None = None
    ir: int | None = None

    @property
    def file(self) -> str:
        """Its file in a bundle."""
        return f"models/{self.name}.{'onnx' if self.kind == 'onnx' else 'txt'}"

    def entry(self) -> ModelEntry:
        """What the manifest says of it."""
        return ModelEntry(
            kind=self.kind,
            file=self.file,
            features=list(self.features),
            inputs=list(self.golden_inputs),
            outputs=list(self.golden_outputs),
            tolerance=self.tolerance,
            batchable=self.batchable,
            opset=self.opset,
            ir=self.ir,
        )

    def files(self) -> dict[str, Array | bytes]:
        """Its files by name: the model, its golden inputs and outputs."""
        arrays = {**self.golden_inputs, **self.golden_outputs}
        return {self.file: self.data, **{golden_file(self.name, n): a for n, a in arrays.items()}}


def golden_file(model: str, array: str) -> str:
    """The file of a golden input or output."""
    return f"golden/{model}.{array}.npy"


def check_names(models: Sequence[ModelFile]) -> None:
    """Refuses names that would be no file names, or the same one twice.

    Raises:
        BundleError: There are some.
    """
    if len({model.name for model in models}) != len(models):
        raise BundleError("two models have the same name; give each its own")
    for model in models:
        arrays = [*model.golden_inputs, *model.golden_outputs]
        for name in (model.name, *arrays):
            if not _NAME.fullmatch(name):
                raise BundleError(f"model {model.name!r}: {name!r} is no name; use a-z, 0-9 and _")
        if len(set(arrays)) != len(arrays):
            raise BundleError(f"model {model.name!r}: an input and an output have the same name; rename one")
