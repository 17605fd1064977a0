"""What a manifest says of the parts of its bundle."""

from datetime import datetime
from typing import Literal

import msgspec


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: SHA-256 as 64 hexadecimal digits, and its size."""

    sha256: str
    bytes: int


class TrainingWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The events that were trained on.

    Attributes:
        first: Time of the first one; absent when the data has no times.
        last: Time of the last one.
        until: Events from this moment on were left out, when that was asked for.
        events: How many there were.
        subjects: From how many shoppers.
    """

    first: datetime | None = None
    last: datetime | None = None
    until: datetime | None = None
    events: int = 0
    subjects: int = 0


class DatasetRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data set that was trained on: its name and the fingerprint of its files."""

    name: str = ""
    fingerprint: str = ""


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model.

    Attributes:
        kind: What runs it.
        file: Its file.
        features: Feature columns that it expects, in order, as ``name:dtype:version``.
        inputs: Names of its inputs; each has golden values in ``golden/MODEL.NAME.npy``.
        outputs: Names of its outputs; the same.
        tolerance: By how much an output may differ from its golden values, over max(1, |golden|).
        batchable: Row i of every output depends on row i of the inputs alone, so that requests may share a run.
        opset: Version of the ONNX operators, where it is an ONNX model.
        ir: Version of the ONNX file format, likewise.
    """

    kind: Literal["onnx", "lightgbm"]
    file: str
    features: list[str]
    inputs: list[str]
    outputs: list[str]
    tolerance: float
    batchable: bool = True
    opset: int | None = None
    ir: int | None = None
