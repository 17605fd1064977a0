"""LightGBM's library without its package: the same numbers, to the last bit."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import lightgbm
import numpy as np
import pytest

from tests.unit.inference.conftest import tree_text
from vitrine.errors import ConfigError
from vitrine.inference import native_trees
from vitrine.inference.native_trees import NativeTrees, Predicts
from vitrine.inference.tree_text import check_text


def trees() -> NativeTrees:
    checked = check_text(tree_text())
    return NativeTrees(checked.text, len(checked.features), len(checked.trees), 1)


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        (Predicts.RAW, {"raw_score": True}),
        (Predicts.LEAF, {"pred_leaf": True}),
        (Predicts.CONTRIBUTIONS, {"pred_contrib": True}),
    ],
)
@pytest.mark.parametrize("rows", [1, 500])
def test_it_predicts_what_the_package_does(what: Predicts, asked: dict[str, bool], rows: int) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(rows, 5)).astype(np.float32)
    x[random.random(x.shape) < 0.2] = np.nan
    wanted = np.asarray(lightgbm.Booster(model_str=tree_text().decode()).predict(x, num_threads=1, **asked))
    np.testing.assert_array_equal(trees().predict(x, what), wanted.reshape(rows, -1))


def test_a_model_that_the_library_refuses_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"(?i)model"):
        NativeTrees("nonsense", 5, 1, 1)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_trees, "find_spec", lambda _: None)
    native_trees._library.cache_clear()
    try:
        with pytest.raises(ConfigError, match="pip install lightgbm"):
            trees()
    finally:
        native_trees._library.cache_clear()


@pytest.mark.parametrize("library", ["nothing of a library", None])
def test_a_library_that_cannot_be_loaded_is_told_with_what_to_do(
    library: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without OpenMP beside it, say, or of a version that lacks a function."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "lib_lightgbm.so").write_text(library or "")
    if library is None:
        monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(LGBM_GetLastError=SimpleNamespace()))
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(native_trees, "find_spec", lambda _: spec)
    monkeypatch.setattr(sys, "platform", "linux")
    native_trees._library.cache_clear()
    try:
        with pytest.raises(ConfigError, match="libgomp1"):
            trees()
    finally:
        native_trees._library.cache_clear()


def test_serving_trees_imports_no_package_of_training() -> None:
    """LightGBM's own would bring scikit-learn and SciPy."""
    code = (
        "import sys; from vitrine.inference import TreeModel; TreeModel(sys.stdin.buffer.read())\n"
        "print(sorted({'lightgbm', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=tree_text(), capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
