"""LightGBM models: scores, the shares of features in them, and texts that are refused before the library sees them."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.inference.conftest import tree_text
from vitrine.errors import InferenceError
from vitrine.inference import TreeModel
from vitrine.inference.tree_text import check_text

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model() -> TreeModel:
    return TreeModel(tree_text())


def matrix(n: int, seed: int = 1) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 5)).astype(np.float32)
    x[:, 3] = random.integers(0, 45, n)
    x[random.random(x.shape) < 0.2] = np.nan
    return x


def test_scores_are_those_of_the_library(model: TreeModel) -> None:
    x = matrix(300)
    assert (model.features, model.trees) == (("f.0", "f.1", "f.2", "f.3", "f.4"), 8)
    found = model.predict(x)
    assert (str(found.dtype), found.shape) == ("float32", (300,))
    wanted = np.asarray(lightgbm.Booster(model_str=tree_text().decode()).predict(x, num_threads=1))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)
    assert len(np.unique(found)) > 50


def test_contributions_add_up_to_the_score(model: TreeModel) -> None:
    x = matrix(100)
    shares = model.contributions(x)
    assert (str(shares.dtype), shares.shape) == ("float32", (100, 6))
    np.testing.assert_allclose(shares.sum(axis=1), model.predict(x), atol=1e-6)
    # The labels depend on the first column and on the categories.
    size = np.abs(shares[:, :5]).mean(axis=0)
    assert set(np.argsort(size)[-2:]) == {0, 3}
    assert len(np.unique(shares[:, 5])) == 1


def test_missing_is_another_thing_than_zero(model: TreeModel) -> None:
    x = np.zeros((1, 5), np.float32)
    without = x.copy()
    without[0, 0] = np.nan
    assert model.predict(x) != model.predict(without)


def test_no_rows_no_scores(model: TreeModel) -> None:
    assert model.predict(matrix(0)).shape == (0,)
    assert model.contributions(matrix(0)).shape == (0, 6)


@pytest.mark.parametrize(
    "wrong",
    [
        matrix(4).astype(np.float64),
        matrix(4)[:, :4].copy(),
        matrix(4)[0],
        np.asfortranarray(matrix(4)),
        matrix(8)[::2],
    ],
    ids=["float64", "columns", "one row", "Fortran", "strided"],
)
def test_a_wrong_matrix_is_refused(model: TreeModel, wrong: npt.NDArray[np.floating]) -> None:
    with pytest.raises(ValueError, match=r"takes C-contiguous float32 of shape \(n, 5\), not"):
        model.predict(wrong)


def test_an_infinite_score_is_an_error() -> None:
    huge = re.sub(rb"leaf_value=\S+", b"leaf_value=1e308", tree_text())
    x = matrix(500)
    with pytest.raises(InferenceError, match="NaN or infinite"):
        TreeModel(fitted(huge)).predict(x)


def test_several_threads_get_the_same(model: TreeModel) -> None:
    x = matrix(200)
    wanted = model.predict(x), model.contributions(x)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _n: (model.predict(x), model.contributions(x)), range(20)):
            np.testing.assert_array_equal(found[0], wanted[0])
            np.testing.assert_array_equal(found[1], wanted[1])


def test_it_is_silent() -> None:
    code = (
        "import numpy as np\n"
        "from tests.unit.inference.conftest import tree_text\n"
        "from vitrine.inference import TreeModel\n"
        "TreeModel(tree_text()).predict(np.zeros((1, 5), np.float32))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == ("", "")


def fitted(text: bytes) -> bytes:
    """Brings the sizes of the trees in the header up to date, as only somebody who means it would."""
    head, blank, body = text.partition(b"\n\n")
    trees = re.findall(rb"Tree=\d+\n.*?\n\n\n", body, re.DOTALL)
    sizes = b" ".join(b"%d" % len(t) for t in trees)
    return re.sub(rb"tree_sizes=.*", b"tree_sizes=" + sizes, head) + blank + body


@pytest.mark.parametrize(
    ("pattern", "replacement", "problem"),
    [
        (rb"^tree\n", b"wood\n", "not a LightGBM model"),
        (rb"version=v4", b"version=v9", "not a LightGBM model in text format, version v4"),
        (rb"num_class=1", b"num_class=3", "only models with one score a row"),
        (rb"max_feature_idx=4", b"max_feature_idx=9", "does not have 10 entries"),
        (rb"f\.1 f\.2", b"f.1 f.1", "does not have 5 entries"),
        (rb"label_index=0", b"label_index=-", "'label_index' has '-' where a number belongs"),
        (rb"label_index", b"libel_index", r"lacks \['label_index'\] or has \['libel_index'\]"),
        (rb"num_leaves=7", b"num_leaves=8", "tree 0: 'leaf_value' does not have 8 finite numbers"),
        (rb"num_leaves=7", b"num_leaves=0", "tree 0: 'leaf_value' does not have 0 finite numbers"),
        (rb"split_feature=\d", b"split_feature=7", "tree 0: 'split_feature' names columns beyond the 5"),
        (rb"decision_type=\d+", b"decision_type=77", "tree 0: 'decision_type' has numbers outside"),
        (rb"left_child=\S+", b"left_child=0", "tree 0: 'left_child' and 'right_child' do not form a tree"),
        (rb"leaf_value=\S+", b"leaf_value=inf", "tree 0: 'leaf_value' does not have 7 finite"),
        (rb"leaf_value=\S+", b"leaf_value=0x1f", "tree 0: a line is not of the form"),
        (rb"internal_count=\d+", b"internal_count=0", "tree 0: 'internal_count' has numbers below 1"),
        (rb"cat_boundaries=0 ", b"cat_boundaries=9 ", "'cat_boundaries' do not increase from 0"),
        (rb"is_linear=0", b"is_linear=1", "linear trees are not served"),
        (rb"shrinkage=\S+\n", b"", "tree 0: 'shrinkage' is missing"),
        (rb"end of trees", b"end of files", "'end of trees' does not follow the last of 8 trees"),
    ],
)
def test_damage_is_named(pattern: bytes, replacement: bytes, problem: str) -> None:
    damaged, count = re.subn(pattern, replacement, tree_text(), count=1)
    assert count == 1
    with pytest.raises(ValueError, match=problem):
        check_text(fitted(damaged))


@pytest.mark.parametrize("data", [b"", b"tree", b"\x80\x04\x95", b"\x00" * 1000, b"tree\nversion=v4\n\n"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a LightGBM model|the header lacks"):
        TreeModel(data)


FUZZ = """
import numpy as np
from tests.unit.inference.conftest import tree_text
from vitrine.errors import InferenceError
from vitrine.inference import TreeModel

text, x = tree_text(), np.full((8, 5), np.nan, np.float32)
x[::2] = np.arange(20).reshape(4, 5)
end, refused = text.index(b"end of trees"), 0
for number in range(600):
    random, bad = np.random.default_rng(number), bytearray(text)
    place = int(random.integers(end))
    if number % 3 == 0:
        bad = bad[:place]
    elif number % 3 == 1:
        bad[place] ^= 1 << int(random.integers(8))
    else:
        del bad[place : place + int(random.integers(1, 60))]
    try:
        model = TreeModel(bytes(bad))
        model.predict(x), model.contributions(x)
    except (ValueError, InferenceError):
        refused += 1
print(refused)
"""


def test_truncated_and_flipped_texts_never_crash() -> None:
    """Handed to the library unchecked, 40 of 100 such texts ended the process."""
    done = subprocess.run(
        [sys.executable, "-c", FUZZ], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 400
