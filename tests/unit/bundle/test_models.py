"""Models travel in a bundle with golden values, and an export that answers otherwise is never published."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.support.models import deep_model, interest_model, interest_table, tree_model
from tests.support.small_bundle import write_small_bundle
from vitrine.bundle import ModelFile, load_bundle
from vitrine.config import InferenceConfig
from vitrine.errors import BundleError
from vitrine.inference import OnnxModel, TreeModel

DEEP = deep_model()
SCORE = DEEP.golden_outputs["score"]


def test_models_come_back_as_they_were_trained(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle, InferenceConfig(provider="cpu"))
    assert list(bundle.models) == ["interest", "deep", "lightgbm"]
    for made in (interest_model(), DEEP, tree_model()):
        model = bundle.models[made.name]
        assert model.entry == made.entry()
        for name, array in {**made.golden_inputs, **made.golden_outputs}.items():
            np.testing.assert_array_equal(model.golden[name], array)
    deep, trees = bundle.models["deep"].runner, bundle.models["lightgbm"].runner
    assert isinstance(deep, OnnxModel)
    assert isinstance(trees, TreeModel)
    assert deep is bundle.models["deep"].onnx
    assert deep.provider == "cpu"
    np.testing.assert_allclose(deep.run(DEEP.golden_inputs)["score"], SCORE, atol=1e-5)
    with pytest.raises(TypeError, match="'lightgbm' is no ONNX model"):
        _ = bundle.models["lightgbm"].onnx


def test_the_interest_model_has_its_vectors_and_length(small_bundle: Path) -> None:
    bundle, table = load_bundle(small_bundle), interest_table(4, content=4)
    assert bundle.interest is not None
    np.testing.assert_array_equal(bundle.interest.vectors, table.vectors)
    np.testing.assert_array_equal(bundle.interest.projection, table.projection)
    assert (bundle.interest.length, bundle.interest.dimensions) == (20, 4)


def test_models_outlive_their_files(bundle_path: Path) -> None:
    bundle = load_bundle(bundle_path)
    shutil.rmtree(bundle_path)
    np.testing.assert_allclose(bundle.models["deep"].onnx.run(DEEP.golden_inputs)["score"], SCORE, atol=1e-5)
    assert bundle.interest is not None
    assert bundle.interest.vectors.any()


def test_the_manifest_names_what_wrote_it(small_bundle: Path) -> None:
    packages = load_bundle(small_bundle).manifest.packages
    assert {"numpy", "onnx", "onnxruntime", "lightgbm"} <= set(packages)


def test_known_features_may_be_told(small_bundle: Path) -> None:
    asked: list[list[str]] = []

    def known(keys: object) -> str:
        assert isinstance(keys, list)
        asked.append(keys)
        return "these are old" if len(asked) == 3 else ""

    with pytest.raises(BundleError, match=r"lightgbm\.txt: these are old; train the bundle again"):
        load_bundle(small_bundle, known_features=known)
    assert asked == [[], list(DEEP.features), list(DEEP.features)]


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (replace(DEEP, golden_outputs={"score": SCORE + 0.01}), "its output 'score' differs by"),
        (replace(DEEP, data=b"onnx"), "models/deep.onnx: model 'deep' does not run"),
        (replace(DEEP, golden_outputs={"other": SCORE}), "its output 'other' is missing"),
        (replace(DEEP, golden_inputs={}), "lacks golden inputs or outputs"),
        (replace(DEEP, features=["x:f4:1"] * 4), "'x' is not known here"),
        (replace(DEEP, tolerance=0.0), "its golden outputs would show nothing"),
        (replace(DEEP, name="../deep"), "'../deep' is no name"),
        (replace(DEEP, golden_outputs={"features": SCORE}), "an input and an output have the same name"),
        (replace(tree_model(), name="deep", data=b"tree\n"), "models/deep.txt: model 'deep' does not run"),
    ],
)
def test_a_bad_export_is_never_published(export: object, reason: str, bundle_path: Path) -> None:
    before = load_bundle(bundle_path).version
    with pytest.raises(BundleError) as refused:
        write_small_bundle(bundle_path, models=[interest_model(), export])
    assert reason in str(refused.value)
    assert load_bundle(bundle_path).version == before
    assert [p.name for p in bundle_path.parent.iterdir()] == ["bundle"]


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="two models have the same name"):
        write_small_bundle(tmp_path / "b", models=[DEEP, DEEP], interest=None)


def test_vectors_without_their_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"interest\.\w+\.npy: .* no part of a bundle"):
        write_small_bundle(tmp_path / "b", models=[DEEP])
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_serving_refuses_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(
        BundleError, match=r"not written, because serving would refuse it: .*/b/items\.parquet"
    ):
        write_small_bundle(tmp_path / "b", item_ids=["a", "a", "b", "c"])
    assert list(tmp_path.iterdir()) == []


def test_other_features_for_the_same_files_are_another_version(tmp_path: Path) -> None:
    one = write_small_bundle(tmp_path / "a")
    other = replace(DEEP, features=list(reversed(DEEP.features)))
    two = write_small_bundle(tmp_path / "b", models=[interest_model(), other, tree_model()])
    assert one.files == two.files
    assert one.version != two.version


def centred() -> ModelFile:
    """`DEEP` with the mean score of all rows taken off, so that rows are not independent."""
    model = onnx.load_from_string(DEEP.data)
    model.graph.node[-1].output[0] = "raw"
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["raw"], ["mean"], keepdims=0),
            helper.make_node("Sub", ["raw", "mean"], ["score"]),
        ]
    )
    return replace(
        DEEP,
        name="centred",
        data=model.SerializeToString(),
        golden_outputs={"score": (SCORE - SCORE.mean()).astype(np.float32)},
    )


def test_requests_share_a_run_only_where_rows_are_independent(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"model 'centred' without its first row: its output 'score'"):
        write_small_bundle(tmp_path / "b", models=[centred()], interest=None)
    alone = replace(centred(), batchable=False)
    write_small_bundle(tmp_path / "b", models=[alone], interest=None)
    assert not load_bundle(tmp_path / "b").models["centred"].entry.batchable
