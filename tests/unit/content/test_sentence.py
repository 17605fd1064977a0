"""A sentence encoder from an ONNX file, and the runtime that it needs."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.unit.content.conftest import TABLE, WORDS
from vitrine.bundle import ContentModel, load_bundle, write_bundle
from vitrine.content.sentence import SentenceEncoder
from vitrine.domain.items import Item
from vitrine.errors import BundleError, InvalidInput
from vitrine.inference import OnnxModel


def mean(*words: str) -> np.ndarray:
    vector = np.mean([TABLE[WORDS.index(w)] for w in words], axis=0, dtype=np.float64)
    return np.asarray(vector / np.linalg.norm(vector))


def test_mean_of_token_vectors(sentence_encoder: Path) -> None:
    encoder = SentenceEncoder.open(sentence_encoder)
    assert (encoder.dimensions, encoder.kind, encoder.provider) == (6, "sentence", "cpu")
    found = encoder.encode_text(["red mug", "", "红 茶"])
    np.testing.assert_allclose(found[0], mean("red", "mug"), atol=1e-6)
    assert not found[1].any()
    np.testing.assert_allclose(found[2], mean("红", "茶"), atol=1e-6)
    np.testing.assert_allclose(
        encoder.encode([Item(item_id="x", title="blue", brand="lamp")])[0],
        mean("blue", "[UNK]", "lamp"),
        atol=1e-6,
    )


def test_it_travels_in_the_bundle(sentence_encoder: Path, tmp_path: Path) -> None:
    encoder = SentenceEncoder.open(sentence_encoder)
    items = [Item(item_id="a", title="red mug"), Item(item_id="b")]
    write_bundle(tmp_path / "b", item_ids=["a", "b"], content=ContentModel(encoder.encode(items), encoder))
    content = load_bundle(tmp_path / "b").content
    assert content is not None
    np.testing.assert_array_equal(content.encode(items), content.vectors)
    model = tmp_path / "b" / "encoder" / "model.onnx"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"model\.onnx: its SHA-256 does not match"):
        load_bundle(tmp_path / "b")


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_missing_files_are_named(sentence_encoder: Path, tmp_path: Path, missing: str) -> None:
    shutil.copytree(sentence_encoder.parent, tmp_path / "e")
    (tmp_path / "e" / missing).unlink()
    with pytest.raises(InvalidInput, match=rf"encoder: .*{missing} does not exist"):
        SentenceEncoder.open(tmp_path / "e" / "model.onnx")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("model.onnx", "ONNX Runtime cannot load the model"),
        ("tokenizer.json", "tokenizer.json is not a tokenizer"),
    ],
)
def test_garbage_is_refused(sentence_encoder: Path, tmp_path: Path, file: str, reason: str) -> None:
    shutil.copytree(sentence_encoder.parent, tmp_path / "e")
    (tmp_path / "e" / file).write_bytes(b"\x00garbage")
    with pytest.raises(InvalidInput, match=reason):
        SentenceEncoder.open(tmp_path / "e" / "model.onnx")


def test_external_data_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    secret = numpy_helper.from_array(np.ones((7, 6), np.float32), "table")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["out"])],
        "g",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "t"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, "t", 6])],
        [secret],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.save(
        model, tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="ONNX Runtime cannot load the model"):
        OnnxModel((tmp_path / "m.onnx").read_bytes())
