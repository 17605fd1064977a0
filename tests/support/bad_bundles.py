"""Bundles that must be refused: what is done to a good one, and the file and the reason that the refusal names.

`BAD_BUNDLES` is the whole table. "Forged" ones have a manifest that was made to fit again, as by somebody who wants
to harm; what hashes cannot see must then be seen by the rest.
"""

import os
import pickle
import shutil
from typing import NamedTuple

import numpy as np
import polars as pl

from tests.support import bundle_changes as b
from tests.support.bundle_changes import DEEP, INTEREST, TREES


class BadBundle(NamedTuple):
    """One of them.

    Attributes:
        name: For people.
        change: What is done to a good bundle.
        file: The file that the refusal names.
        says: A part of the reason.
    """

    name: str
    change: b.Change
    file: str
    says: str


_MANIFEST = [
    BadBundle("no folder", shutil.rmtree, "", "no such bundle folder; make one with `vitrine train"),
    BadBundle("no manifest", b.removed("manifest.json"), "", "has no manifest.json"),
    BadBundle("manifest cut off", b.truncated("manifest.json"), "manifest.json", "not a bundle manifest"),
    BadBundle(
        "manifest of another program",
        lambda p: (p / "manifest.json").write_text('{"a": 1}'),
        "manifest.json",
        "not a bundle manifest",
    ),
    BadBundle(
        "manifest a pickle",
        lambda p: (p / "manifest.json").write_bytes(pickle.dumps(b.Payload(p.parent / b.MARKER))),
        "manifest.json",
        "not a bundle manifest",
    ),
    BadBundle(
        "manifest edited",
        lambda p: (p / "manifest.json").write_text(
            (p / "manifest.json").read_text().replace('"items": 4', '"items": 5')
        ),
        "manifest.json",
        "its checksum does not match",
    ),
    BadBundle("older schema", b.schema(1), "manifest.json", "schema_version is 1, this program reads 2"),
    BadBundle("newer schema", b.schema(3), "manifest.json", "schema_version is 3, this program reads 2"),
    BadBundle("wrong item count", b.fields(items=5), "items.parquet", "has 4 items instead of 5"),
    BadBundle(
        "unknown content kind",
        b.fields(content_kind="telepathy"),
        "manifest.json",
        "'telepathy' is not known",
    ),
]

_FILES = [
    BadBundle("truncated array", b.truncated("linear.weights.npy"), "linear.weights.npy", "bytes instead of"),
    BadBundle("truncated ONNX model", b.truncated(DEEP), DEEP, "bytes instead of"),
    BadBundle("truncated trees", b.truncated(TREES), TREES, "bytes instead of"),
    BadBundle(
        "truncated array, forged",
        b.short("linear.weights.npy"),
        "linear.weights.npy",
        "not a .npy file",
    ),
    BadBundle("truncated ONNX model, forged", b.short(DEEP), DEEP, "does not run"),
    BadBundle("truncated trees, forged", b.short(TREES), TREES, "does not run"),
    BadBundle(
        "flipped bit of an array",
        b.flip("content.vectors.npy", 1500),
        "content.vectors.npy",
        "its SHA-256 does not match",
    ),
    BadBundle("flipped bit of an ONNX model", b.flip(DEEP, 1500), DEEP, "its SHA-256 does not match"),
    BadBundle("flipped bit of trees", b.flip(TREES, 4000), TREES, "its SHA-256 does not match"),
    BadBundle("file missing", b.removed(DEEP), DEEP, "the manifest lists it, but it is missing"),
    BadBundle("folder missing", lambda p: shutil.rmtree(p / "golden"), "golden", "but it is missing"),
    BadBundle(
        "file extra",
        lambda p: (p / "notes.txt").write_text("x"),
        "notes.txt",
        "is not listed in manifest.json; remove it",
    ),
    BadBundle(
        "file extra in a folder",
        lambda p: (p / "models/x.onnx").write_text("x"),
        "models/x.onnx",
        "is not listed",
    ),
    BadBundle("folder extra", lambda p: (p / "extra").mkdir(), "extra", "is not listed in manifest.json"),
    BadBundle("file extra, listed", b.overwritten("notes.txt", b"x"), "notes.txt", "no part of a bundle"),
    BadBundle(
        "half a matrix",
        b.forgotten("linear.indices.npy"),
        "linear.indices.npy",
        "the manifest does not list it, but it is needed",
    ),
    BadBundle("model not listed", b.forgotten(DEEP), DEEP, "the manifest does not list it, but it is needed"),
    BadBundle(
        "golden output not listed",
        b.forgotten("golden/deep.score.npy"),
        "golden/deep.score.npy",
        "but it is needed",
    ),
    BadBundle(
        "model not in the manifest",
        b.fields(models={}, interest_length=None),
        "golden/deep.features.npy",
        "no part of a bundle",
    ),
    BadBundle("symbolic link", b.symlink("items.parquet"), "items.parquet", "is a symbolic link"),
    BadBundle("symbolic link to a model", b.symlink(DEEP), DEEP, "is a symbolic link"),
    BadBundle("folder a symbolic link", b.symlink("models"), "models", "is a symbolic link"),
    BadBundle("hard link", lambda p: os.link(p / DEEP, p.parent / "elsewhere"), DEEP, "is a hard link"),
    BadBundle("named pipe", b.pipe, DEEP, "is not a plain file"),
    *(
        BadBundle(
            f"lists {name!r}",
            b.lists(name),
            "manifest.json",
            f"lists the file {name!r}, which is not a name inside",
        )
        for name in (
            "..",
            "../elsewhere",
            "models/../../elsewhere",
            "/etc/hostname",
            "a/b/elsewhere",
            ".elsewhere",
            "a\\elsewhere",
            "",
            "manifest.json",
        )
    ),
]

_ARRAYS = [
    BadBundle(
        "pickled array",
        b.pickled_array("linear.weights.npy"),
        "linear.weights.npy",
        "holds pickled Python objects",
    ),
    BadBundle(
        "pickled golden input",
        b.pickled_array("golden/deep.features.npy"),
        "golden/deep.features.npy",
        "holds pickled Python objects",
    ),
    BadBundle(
        "pickled interest vectors",
        b.pickled_array("interest.vectors.npy"),
        "interest.vectors.npy",
        "holds pickled Python objects",
    ),
    BadBundle(
        "pickle for an array", b.pickled("linear.weights.npy"), "linear.weights.npy", "not a .npy file"
    ),
    BadBundle("pickle for items", b.pickled("items.parquet"), "items.parquet", "not a Parquet file"),
    BadBundle("pickle for an ONNX model", b.pickled(DEEP), DEEP, "does not run"),
    BadBundle("pickle for trees", b.pickled(TREES), TREES, "does not run"),
    BadBundle(
        "no array", b.overwritten("linear.weights.npy", b"x" * 200), "linear.weights.npy", "not a .npy file"
    ),
    BadBundle(
        "type",
        b.array("linear.weights.npy", np.ones(5)),
        "linear.weights.npy",
        "has type <f8 instead of float32",
    ),
    BadBundle(
        "shape",
        b.array("linear.weights.npy", np.ones(4, np.float32)),
        "linear.weights.npy",
        "has shape (4,) instead of (5)",
    ),
    BadBundle(
        "NaN", b.edited("content.vectors.npy", b.put((0, 0), np.nan)), "content.vectors.npy", "holds NaN"
    ),
    BadBundle(
        "not of length 1",
        b.array("content.vectors.npy", np.ones((4, 4), np.float32)),
        "content.vectors.npy",
        "vectors are not of length 1",
    ),
    BadBundle(
        "other dimensions",
        b.array("content.vectors.npy", np.zeros((4, 3), np.float32)),
        "content.vectors.npy",
        "vectors have 3 numbers and the encoder makes 4",
    ),
    BadBundle(
        "row too large",
        b.edited("linear.indices.npy", b.put(0, 9)),
        "linear.indices.npy",
        "names rows outside 0 to 3",
    ),
    BadBundle(
        "negative row",
        b.edited("linear.indices.npy", b.put(0, -1)),
        "linear.indices.npy",
        "names rows outside",
    ),
    BadBundle(
        "boundaries",
        b.edited("linear.indptr.npy", b.put(1, 4)),
        "linear.indptr.npy",
        "row boundaries go backwards",
    ),
    BadBundle(
        "boundaries of visits",
        b.edited("visits.indptr.npy", b.put(1, 6)),
        "visits.indptr.npy",
        "visits begin before they end",
    ),
    BadBundle(
        "no boundaries of visits",
        b.array("visits.indptr.npy", np.empty(0, np.int64)),
        "visits.indptr.npy",
        "visits begin before they end",
    ),
    BadBundle(
        "visits longer than their items",
        b.edited("visits.indptr.npy", b.put(3, 8)),
        "visits.items.npy",
        "has shape (7,) instead of (8)",
    ),
    BadBundle(
        "visit to an item that is not there",
        b.edited("visits.items.npy", b.put(0, 4)),
        "visits.items.npy",
        "names rows outside 0 to 3",
    ),
    BadBundle(
        "visit to an item twice",
        b.edited("visits.items.npy", b.put(1, 0)),
        "visits.items.npy",
        "a visit names an item twice",
    ),
    BadBundle(
        "half of the visits",
        b.forgotten("visits.items.npy"),
        "visits.items.npy",
        "the manifest does not list it, but it is needed",
    ),
    BadBundle(
        "order",
        b.edited("linear.weights.npy", b.put(0, 0.1)),
        "linear.weights.npy",
        "weights are not positive, best first",
    ),
    BadBundle(
        "vocabulary",
        b.array("content.vocabulary.npy", np.zeros(5, np.uint64)),
        "content.vocabulary.npy",
        "is not sorted",
    ),
    BadBundle("no items", b.forgotten("items.parquet"), "items.parquet", "the manifest does not list"),
    BadBundle(
        "items no Parquet", b.overwritten("items.parquet", b"PAR1"), "items.parquet", "not a Parquet file"
    ),
    BadBundle("item twice", b.items("a", "b", "c", "a"), "items.parquet", "holds an item twice"),
    BadBundle(
        "long id", b.items("a", "b", "c", "é" * 65), "items.parquet", "an id that is not of 1 to 128 bytes"
    ),
    BadBundle("empty id", b.items("a", "b", "c", ""), "items.parquet", "an id that is not of 1 to 128 bytes"),
    BadBundle("null id", b.items("a", "b", "c", None), "items.parquet", "holds empty cells"),
    BadBundle(
        "fewer items", b.items("a", "b", "c"), "co_visitation.indptr.npy", "has shape (5,) instead of (4)"
    ),
    BadBundle("columns", b.table(pl.DataFrame({"item_id": ["a"]})), "items.parquet", "has columns"),
]

_MODELS = [
    BadBundle("external data above", b.external(lambda _: "../weights.bin"), DEEP, "does not run"),
    BadBundle("external data further above", b.external(lambda _: "../../weights.bin"), DEEP, "does not run"),
    BadBundle(
        "external data by absolute path",
        b.external(lambda p: str(p.parent / "weights.bin")),
        DEEP,
        "does not run",
    ),
    BadBundle(
        "external data beside it", b.external(lambda _: "weights.bin", listed=True), DEEP, "does not run"
    ),
    BadBundle("external data of an attribute", b.external_attribute, DEEP, "does not run"),
    BadBundle("NaN weights", b.model(DEEP, b.nan_weights), DEEP, "'score' has values that are NaN"),
    BadBundle("NaN leaf", b.leaf("nan"), TREES, "does not run"),
    BadBundle("other weights", b.model(DEEP, b.nudged_weights), DEEP, "its output 'score' differs by"),
    BadBundle("other leaf", b.leaf("0.7"), TREES, "its output 'score' differs by"),
    BadBundle("unknown operator", b.model(DEEP, b.foreign_operator), DEEP, "does not run"),
    BadBundle("operators of the future", b.model(DEEP, b.future_operators), DEEP, "does not run"),
    BadBundle(
        "golden output differs",
        b.edited("golden/interest.long.npy", b.put((0, 0), 7)),
        INTEREST,
        "model 'interest': its output 'long' differs by",
    ),
    BadBundle(
        "golden output NaN",
        b.edited("golden/deep.score.npy", b.put(0, np.nan)),
        "golden/deep.score.npy",
        "holds NaN",
    ),
    BadBundle(
        "golden input infinite",
        b.edited("golden/deep.features.npy", b.put((0, 0), np.inf)),
        "golden/deep.features.npy",
        "holds NaN or infinite",
    ),
    BadBundle(
        "golden input NaN, no features",
        b.edited("golden/interest.ages.npy", b.put((0, 0), np.nan)),
        "golden/interest.ages.npy",
        "holds NaN",
    ),
    BadBundle(
        "golden input of another type",
        b.array("golden/interest.types.npy", np.zeros((3, 3), np.int32)),
        "golden/interest.types.npy",
        "has type <i4 instead of float32 or int64 or bool",
    ),
    BadBundle(
        "golden input of another shape",
        b.array("golden/deep.features.npy", np.zeros((6, 3), np.float32)),
        "golden/deep.features.npy",
        "is not a matrix of the 4 features",
    ),
    BadBundle(
        "golden output of another shape",
        b.array("golden/deep.score.npy", np.zeros((6, 1), np.float32)),
        DEEP,
        "its output 'score' is of shape (6,) instead of (6, 1)",
    ),
    BadBundle(
        "golden arrays of no rows",
        b.array("golden/deep.score.npy", np.zeros(0, np.float32)),
        "golden/deep.score.npy",
        "has shape (0,)",
    ),
    BadBundle("no golden output", b.entry("deep", outputs=[]), DEEP, "lacks golden inputs or outputs"),
    BadBundle("tolerance without end", b.entry("deep", tolerance=1e9), DEEP, "would show nothing"),
    BadBundle(
        "unknown feature",
        b.entry("deep", features=["item.aura:f4:1"] * 4),
        DEEP,
        "'item.aura' is not known here",
    ),
    BadBundle(
        "feature of another version",
        b.entry("lightgbm", features=["item.popularity:f4:99"] * 4),
        TREES,
        "'item.popularity' has another version here",
    ),
    BadBundle(
        "fewer features",
        b.entry("lightgbm", features=["item.popularity:f4:1"]),
        "golden/lightgbm.features.npy",
        "is not a matrix of the 1 features",
    ),
    BadBundle("unknown kind of model", b.entry("deep", kind="pickle"), "manifest.json", "damaged"),
    BadBundle("trees said to be ONNX", b.entry("lightgbm", kind="onnx"), TREES, "does not run"),
    BadBundle(
        "model file outside",
        b.entry("deep", file="../elsewhere"),
        "../elsewhere",
        "the manifest does not list it",
    ),
    BadBundle("model of another name", b.entry("deep", file=INTEREST), INTEREST, "does not run"),
    BadBundle(
        "interest vectors of fewer items",
        b.array("interest.vectors.npy", np.zeros((3, 4), np.float32)),
        "interest.vectors.npy",
        "has shape (3, 4) instead of (4, any)",
    ),
    BadBundle(
        "interest vectors of other dimensions",
        b.array("interest.vectors.npy", np.zeros((4, 5), np.float32)),
        "interest.vectors.npy",
        "vectors have 5 numbers and the model's answers 4",
    ),
    BadBundle(
        "interest vectors of another type",
        b.array("interest.vectors.npy", np.zeros((4, 4))),
        "interest.vectors.npy",
        "has type <f8 instead of float32",
    ),
    BadBundle(
        "interest vectors NaN",
        b.edited("interest.vectors.npy", b.put((1, 1), np.nan)),
        "interest.vectors.npy",
        "holds NaN",
    ),
    BadBundle(
        "interest projection of another shape",
        b.array("interest.projection.npy", np.zeros((3, 4), np.float32)),
        "interest.projection.npy",
        "has shape (3, 4) instead of (4, 4)",
    ),
    BadBundle(
        "interest without length", b.fields(interest_length=None), "manifest.json", "interest_length is None"
    ),
    BadBundle(
        "interest without vectors",
        b.forgotten("interest.vectors.npy"),
        "interest.vectors.npy",
        "but it is needed",
    ),
]

BAD_BUNDLES = (*_MANIFEST, *_FILES, *_ARRAYS, *_MODELS)
