"""A bundle comes back as it was written, or is refused with the reason."""

import hashlib
import io
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from tests.unit.bundle.conftest import ITEMS, neighbours
from vitrine.bundle import FileEntry, load_bundle, write_bundle
from vitrine.bundle.manifest import decode_manifest, encode_manifest
from vitrine.errors import BundleError

Change = Callable[[Path], object]


def resign(path: Path, **fields: object) -> None:
    """Makes the manifest fit the files again, as whoever forges a bundle would."""
    manifest = decode_manifest((path / "manifest.json").read_bytes(), "")
    files = {
        p.relative_to(path).as_posix(): FileEntry(
            hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_size
        )
        for p in path.rglob("*")
        if p.is_file() and p.name != "manifest.json"
    }
    changed = msgspec.structs.replace(manifest, **{"files": files, **fields})
    (path / "manifest.json").write_bytes(encode_manifest(changed))


def forged(name: str, array: np.ndarray, *, pickled: bool = False) -> Change:
    def change(path: Path) -> None:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=pickled)
        (path / name).write_bytes(buffer.getvalue())
        resign(path)

    return change


def items(table: pl.DataFrame) -> Change:
    def change(path: Path) -> None:
        table.write_parquet(path / "items.parquet")
        resign(path, items=table.height)

    return change


def flip(name: str, at: int) -> Change:
    def change(path: Path) -> None:
        data = bytearray((path / name).read_bytes())
        data[at] ^= 1
        (path / name).write_bytes(bytes(data))

    return change


def truncate(path: Path) -> None:
    file = path / "linear.weights.npy"
    file.write_bytes(file.read_bytes()[:-4])


def symlink(path: Path) -> None:
    shutil.move(path / "items.parquet", path.parent / "elsewhere")
    (path / "items.parquet").symlink_to(path.parent / "elsewhere")


def hard_link(path: Path) -> None:
    os.link(path / "items.parquet", path.parent / "elsewhere")


def escape(path: Path) -> None:
    shutil.copy(path / "items.parquet", path.parent / "elsewhere")
    data = (path.parent / "elsewhere").read_bytes()
    entry = FileEntry(hashlib.sha256(data).hexdigest(), len(data))
    manifest = decode_manifest((path / "manifest.json").read_bytes(), "")
    changed = msgspec.structs.replace(manifest, files={**manifest.files, "../elsewhere": entry})
    (path / "manifest.json").write_bytes(encode_manifest(changed))


def schema(path: Path) -> None:
    resign(path, schema_version=2)


def without(name: str) -> Change:
    return lambda path: (path / name).unlink()


def overwritten(name: str, data: bytes) -> Change:
    def change(path: Path) -> None:
        (path / name).write_bytes(data)
        resign(path)

    return change


def forgotten(name: str) -> Change:
    def change(path: Path) -> None:
        (path / name).unlink()
        resign(path)

    return change


def ids(*names: str | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"item_id": list(names), "text_hash": [0] * len(names)},
        schema={"item_id": pl.String, "text_hash": pl.UInt64},
    )


REFUSED: dict[str, tuple[Change, str]] = {
    "no folder": (shutil.rmtree, "no such bundle folder; make one with `vitrine train"),
    "no manifest": (without("manifest.json"), "has no manifest.json"),
    "no json": (lambda p: (p / "manifest.json").write_text("{"), "manifest.json: not a bundle manifest"),
    "foreign json": (
        lambda p: (p / "manifest.json").write_text('{"a": 1}'),
        "manifest.json: not a bundle manifest",
    ),
    "missing file": (
        without("linear.weights.npy"),
        "linear.weights.npy: the manifest lists it, but it is missing",
    ),
    "truncated": (truncate, "linear.weights.npy: has 144 bytes instead of 148"),
    "bit of a file": (flip("content.vectors.npy", -1), "content.vectors.npy: its SHA-256 does not match"),
    "schema": (schema, "schema_version is 2, this program reads 1; train the bundle again"),
    "stray file": (
        lambda p: (p / "notes.txt").write_text("x"),
        "notes.txt: is not listed in manifest.json; remove it",
    ),
    "stray folder": (lambda p: (p / "extra").mkdir(), "extra: is not listed in manifest.json"),
    "symbolic link": (symlink, "items.parquet: is a symbolic link"),
    "hard link": (hard_link, "items.parquet: is a hard link"),
    "escape": (escape, "lists the file '../elsewhere', which is not a name inside a bundle"),
    "pickle": (
        forged("linear.weights.npy", np.array([print], object), pickled=True),
        "linear.weights.npy: holds pickled Python objects",
    ),
    "not an array": (
        overwritten("linear.weights.npy", b"x" * 200),
        "linear.weights.npy: not a .npy file",
    ),
    "type": (forged("linear.weights.npy", np.ones(5)), "linear.weights.npy: has type <f8 instead of float32"),
    "shape": (
        forged("linear.weights.npy", np.ones(4, np.float32)),
        "linear.weights.npy: has shape (4,) instead of (5)",
    ),
    "NaN": (
        forged("content.vectors.npy", np.full((4, 4), np.nan, np.float32)),
        "content.vectors.npy: holds NaN",
    ),
    "not unit": (forged("content.vectors.npy", np.ones((4, 4), np.float32)), "vectors are not of length 1"),
    "dimensions": (
        forged("content.vectors.npy", np.zeros((4, 3), np.float32)),
        "vectors have 3 numbers and the encoder makes 4",
    ),
    "rows": (forged("linear.indices.npy", np.array([9, 2, 0, 0, 1], np.int32)), "names rows outside 0 to 3"),
    "negative rows": (
        forged("linear.indices.npy", np.array([-1, 2, 0, 0, 1], np.int32)),
        "names rows outside",
    ),
    "boundaries": (forged("linear.indptr.npy", np.array([0, 3, 2, 5, 5])), "row boundaries go backwards"),
    "order": (
        forged("linear.weights.npy", np.array([0.1, 0.2, 0.5, 0.7, 0.1], np.float32)),
        "weights are not positive, best first",
    ),
    "vocabulary": (
        forged("content.vocabulary.npy", np.zeros(5, np.uint64)),
        "content.vocabulary.npy: is not sorted",
    ),
    "half a model": (
        forgotten("linear.indices.npy"),
        "linear.indices.npy: the manifest does not list it, but it is needed",
    ),
    "no items": (
        forgotten("items.parquet"),
        "items.parquet: the manifest does not list",
    ),
    "items no parquet": (
        overwritten("items.parquet", b"PAR1"),
        "items.parquet: not a Parquet file",
    ),
    "item twice": (items(ids("a", "b", "c", "a")), "items.parquet: holds an item twice"),
    "long id": (items(ids("a", "b", "c", "é" * 65)), "an id that is not of 1 to 128 bytes"),
    "empty id": (items(ids("a", "b", "c", "")), "an id that is not of 1 to 128 bytes"),
    "null id": (items(ids("a", "b", "c", None)), "items.parquet: holds empty cells"),
    "fewer items": (
        items(ids("a", "b", "c")),
        "linear.indptr.npy: has shape (5,) instead of (4)|co_visitation.indptr",
    ),
    "columns": (items(pl.DataFrame({"item_id": ["a"]})), "items.parquet: has columns"),
    "unknown kind": (lambda p: resign(p, content_kind="telepathy"), "content_kind 'telepathy' is not known"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, bundle_path: Path) -> None:
    change, reason = REFUSED[case]
    change(bundle_path)
    with pytest.raises(BundleError) as refused:
        load_bundle(bundle_path)
    assert any(part in str(refused.value) for part in reason.split("|"))
    assert re.search(r"again|remove|make one|copy|do not use|with this version", str(refused.value))


def test_a_changed_byte_anywhere_is_refused(bundle_path: Path) -> None:
    for file in sorted(p for p in bundle_path.rglob("*") if p.is_file()):
        whole = file.read_bytes()
        for at in range(0, len(whole), 5 if file.name == "manifest.json" else 11):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x01]) + whole[at + 1 :])
            with pytest.raises(BundleError):
                load_bundle(bundle_path)
        file.write_bytes(whole)
    load_bundle(bundle_path)


def test_round_trip(bundle_path: Path) -> None:
    bundle = load_bundle(bundle_path)
    assert list(bundle.item_ids) == ["red", "blue", "杯", "nothing"]
    assert bundle.row_of == {"red": 0, "blue": 1, "杯": 2, "nothing": 3}
    assert bundle.version == bundle.manifest.version
    assert re.fullmatch("[0-9a-f]{12}", bundle.version)
    assert bundle.manifest.off == {"validation": "a test"}
    assert bundle.manifest.metrics == {"recall@20_linear": 0.5}
    assert "numpy" in bundle.manifest.packages
    assert bundle.linear is not None
    assert bundle.content is not None
    for column in ("indptr", "indices", "weights"):
        np.testing.assert_array_equal(getattr(bundle.linear, column), getattr(neighbours(), column))
    np.testing.assert_array_equal(bundle.content.vectors, bundle.content.encode(ITEMS))
    assert bundle.content.vectors[3].tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        bundle.linear.weights[0] = 1


def test_parts_may_be_absent(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", item_ids=["a"], off={"content": "no text"})
    bundle = load_bundle(tmp_path / "b")
    assert (bundle.co_visitation, bundle.linear, bundle.content) == (None, None, None)


def test_a_loaded_bundle_outlives_its_files(bundle_path: Path) -> None:
    bundle = load_bundle(bundle_path)
    shutil.rmtree(bundle_path)
    assert bundle.linear is not None
    assert bundle.linear.scores(np.array([0], np.int32), np.ones(1)).tolist() == [0, 0.5, 0.25, 0]


def test_writing_replaces_a_bundle_and_nothing_else(bundle_path: Path, tmp_path: Path) -> None:
    write_bundle(bundle_path, item_ids=["other"])
    assert list(load_bundle(bundle_path).item_ids) == ["other"]
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    with pytest.raises(BundleError, match="neither empty nor a bundle"):
        write_bundle(home, item_ids=["a"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "home"]


def test_equal_contents_have_equal_versions(tmp_path: Path) -> None:
    versions = {
        write_bundle(tmp_path / name, item_ids=["a", "b"], name=name).version for name in ("one", "two")
    } | {load_bundle(tmp_path / "one").version}
    assert len(versions) == 1
    assert write_bundle(tmp_path / "three", item_ids=["a", "c"]).version not in versions
