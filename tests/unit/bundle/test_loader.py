"""A bundle comes back as it was written."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.bundle_changes import manifest_of
from tests.support.models import tree_model
from tests.support.small_bundle import ITEMS, neighbours, visits
from vitrine.bundle import load_bundle, write_bundle
from vitrine.errors import BundleError


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
        np.testing.assert_array_equal(getattr(bundle.follows, column), getattr(neighbours(), column))
    for column in ("indptr", "items", "item_count"):
        np.testing.assert_array_equal(getattr(bundle.visits, column), getattr(visits(), column))
    np.testing.assert_array_equal(bundle.content.vectors, bundle.content.encode(ITEMS))
    assert bundle.content.vectors[3].tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        bundle.linear.weights[0] = 1


def test_parts_may_be_absent(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", item_ids=["a"], off={"content": "no text"})
    bundle = load_bundle(tmp_path / "b")
    assert (bundle.co_visitation, bundle.linear, bundle.content) == (None, None, None)
    assert (bundle.follows, bundle.visits) == (None, None)


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


def test_words_of_a_plugins_columns_stay_with_the_models(tmp_path: Path) -> None:
    name = "plugin:season.fits"
    model = tree_model(("item.price", name))
    texts = {name: "how well it fits the season"}
    told = write_bundle(tmp_path / "told", item_ids=["a"], models=[model], texts=texts)
    assert load_bundle(tmp_path / "told").manifest.texts == texts
    bare = write_bundle(tmp_path / "bare", item_ids=["a"], models=[model])
    assert bare.version != told.version
    assert manifest_of(tmp_path / "bare").texts == {}


def test_a_bundle_from_before_plugins_could_contribute_columns_loads(tmp_path: Path) -> None:
    manifest = write_bundle(tmp_path / "b", item_ids=["a"])
    path = tmp_path / "b" / "manifest.json"
    older = re.sub(rb'\n  "texts": \{\},', b"", path.read_bytes())
    assert len(older) < path.stat().st_size
    checksum = hashlib.sha256(older.replace(manifest.checksum.encode(), b"0" * 64)).hexdigest()
    path.write_bytes(older.replace(manifest.checksum.encode(), checksum.encode()))
    assert load_bundle(tmp_path / "b").version == manifest.version
