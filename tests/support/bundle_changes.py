"""What can be done to a good bundle. Most changes sign it again, as somebody would who wants to harm."""

import hashlib
import io
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import polars as pl
from onnx import external_data_helper, helper, numpy_helper

from vitrine.bundle import FileEntry, Manifest
from vitrine.bundle.manifest import decode_manifest, encode_manifest

Change = Callable[[Path], object]

DEEP, TREES, INTEREST = "models/deep.onnx", "models/lightgbm.txt", "models/interest.onnx"
# What a pickle of this table would make if anything opened it.
MARKER = "executed"


def manifest_of(path: Path) -> Manifest:
    """The manifest of a bundle."""
    return decode_manifest((path / "manifest.json").read_bytes(), "")


def sign(path: Path, **fields: object) -> None:
    """Makes the manifest fit the files again."""
    files = {
        p.relative_to(path).as_posix(): FileEntry(
            hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_size
        )
        for p in path.rglob("*")
        if p.is_file() and p.name != "manifest.json"
    }
    changed = msgspec.structs.replace(manifest_of(path), **{"files": files, **fields})
    (path / "manifest.json").write_bytes(encode_manifest(changed))


def flip(name: str, bit: int) -> Change:
    """Turns one bit of a file around."""

    def change(path: Path) -> None:
        data = bytearray((path / name).read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        (path / name).write_bytes(bytes(data))

    return change


def fields(**fields: object) -> Change:
    return lambda path: sign(path, **fields)


def entry(model: str, **fields: object) -> Change:
    def change(path: Path) -> None:
        models = manifest_of(path).models
        sign(path, models={**models, model: msgspec.structs.replace(models[model], **fields)})

    return change


def overwritten(name: str, data: bytes) -> Change:
    def change(path: Path) -> None:
        (path / name).write_bytes(data)
        sign(path)

    return change


def array(name: str, values: np.ndarray, *, pickled: bool = False) -> Change:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=pickled)
    return overwritten(name, buffer.getvalue())


def edited(name: str, edit: Callable[[np.ndarray], Any]) -> Change:
    """Changes an array in place."""

    def change(path: Path) -> None:
        array = np.load(path / name)
        edit(array)
        np.save(path / name, array)
        sign(path)

    return change


def put(index: Any, value: float) -> Callable[[np.ndarray], None]:
    return lambda array: array.__setitem__(index, value)


def model(name: str, edit: Callable[[onnx.ModelProto], Any]) -> Change:
    """Changes an ONNX model."""

    def change(path: Path) -> None:
        model = onnx.load(path / name)
        edit(model)
        (path / name).write_bytes(model.SerializeToString())
        sign(path)

    return change


def weights(model: onnx.ModelProto) -> onnx.TensorProto:
    return next(t for t in model.graph.initializer if t.name == "first")


def nan_weights(model: onnx.ModelProto) -> None:
    tensor = weights(model)
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def nudged_weights(model: onnx.ModelProto) -> None:
    tensor = weights(model)
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 1.001, tensor.name))


def foreign_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Run", ["features"], ["unused"], domain="com.evil"))
    model.opset_import.append(helper.make_opsetid("com.evil", 1))


def future_operators(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def external(where: Callable[[Path], str], *, listed: bool = False) -> Change:
    """Puts the right weights into a file of their own: a loader that follows the pointer finds nothing wrong."""

    def change(path: Path) -> None:
        model = onnx.load(path / DEEP)
        tensor = weights(model)
        outside = path / DEEP if listed else path.parent / "x"
        file = outside.with_name("weights.bin")
        file.write_bytes(numpy_helper.to_array(tensor).tobytes())
        external_data_helper.set_external_data(tensor, where(path))
        tensor.ClearField("raw_data")
        (path / DEEP).write_bytes(model.SerializeToString())
        sign(path)

    return change


def external_attribute(path: Path) -> None:
    """The same with weights in an attribute of a node."""
    model = onnx.load(path / DEEP)
    tensor = onnx.TensorProto()
    tensor.CopyFrom(weights(model))
    model.graph.initializer.remove(weights(model))
    (path.parent / "weights.bin").write_bytes(numpy_helper.to_array(tensor).tobytes())
    external_data_helper.set_external_data(tensor, "../weights.bin")
    tensor.ClearField("raw_data")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["first"], value=tensor))
    overwritten(DEEP, model.SerializeToString())(path)


def leaf(value: str) -> Change:
    """Gives the first leaf another value, written in as many characters: trees tell their sizes."""

    def change(path: Path) -> None:
        text = (path / TREES).read_text()
        found = re.search(r"(?<=leaf_value=)\S+", text)
        assert found is not None
        new = value.ljust(len(found.group()), "0" if "." in value else " ")
        overwritten(TREES, (text[: found.start()] + new + text[found.end() :]).encode())(path)

    return change


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._marker,)


def pickled_array(name: str) -> Change:
    def change(path: Path) -> None:
        array(name, np.array([Payload(path.parent / MARKER)], object), pickled=True)(path)

    return change


def pickled(name: str) -> Change:
    return lambda path: overwritten(name, pickle.dumps(Payload(path.parent / MARKER)))(path)


def truncated(name: str) -> Change:
    def change(path: Path) -> None:
        data = (path / name).read_bytes()
        (path / name).write_bytes(data[: len(data) // 3])

    return change


def short(name: str) -> Change:
    def change(path: Path) -> None:
        truncated(name)(path)
        sign(path)

    return change


def lists(name: str) -> Change:
    """A manifest that lists one file more, which lies outside."""

    def change(path: Path) -> None:
        data = b"elsewhere"
        (path.parent / "elsewhere").write_bytes(data)
        entry = FileEntry(hashlib.sha256(data).hexdigest(), len(data))
        sign(path, files={**manifest_of(path).files, name: entry})

    return change


def symlink(name: str) -> Change:
    def change(path: Path) -> None:
        shutil.move(path / name, path.parent / "elsewhere")
        (path / name).symlink_to(path.parent / "elsewhere")

    return change


def pipe(path: Path) -> None:
    (path / DEEP).unlink()
    os.mkfifo(path / DEEP)


def schema(version: int) -> Change:
    return lambda path: sign(path, schema_version=version)


def removed(name: str) -> Change:
    return lambda path: (path / name).unlink()


def forgotten(name: str) -> Change:
    def change(path: Path) -> None:
        (path / name).unlink()
        sign(path)

    return change


def items(*ids: str | None) -> Change:
    schema = {"item_id": pl.String, "text_hash": pl.UInt64}
    return table(pl.DataFrame({"item_id": list(ids), "text_hash": [0] * len(ids)}, schema=schema))


def table(frame: pl.DataFrame) -> Change:
    def change(path: Path) -> None:
        frame.write_parquet(path / "items.parquet")
        sign(path, items=frame.height)

    return change
