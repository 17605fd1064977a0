"""A bad bundle is refused with the file, the reason and what to do, and nothing in it runs."""

import os
import pickle
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.bad_bundles import BAD_BUNDLES, BadBundle
from tests.support.bundle_changes import DEEP, INTEREST, MARKER, TREES, flip, sign
from tests.support.small_bundle import ITEMS
from vitrine.bundle import Bundle, load_bundle, write_bundle
from vitrine.errors import BundleError
from vitrine.inference import TreeModel

WHAT_TO_DO = re.compile("again|remove it|make one|copy the bundle|do not use")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was unpickled or started."""
    calls: list[str] = []

    def note(name: str) -> Any:
        return lambda *_args, **_named: calls.append(name)

    for module, name in ((pickle, "load"), (pickle, "loads"), (os, "system"), (subprocess, "Popen")):
        monkeypatch.setattr(module, name, note(name))
    return calls


@pytest.mark.parametrize("bad", BAD_BUNDLES, ids=lambda bad: bad.name)
def test_refused(
    bad: BadBundle, bundle_path: Path, executed: list[str], record_property: Callable[[str, object], None]
) -> None:
    bad.change(bundle_path)
    with pytest.raises(BundleError) as refused:
        load_bundle(bundle_path)
    reason = str(refused.value)
    record_property("refusal", reason)
    print(f"{bad.name}: {reason.replace(f'{bundle_path}', 'BUNDLE')}")
    assert reason.startswith(f"{bundle_path / bad.file}: ")
    assert bad.says in reason
    assert WHAT_TO_DO.search(reason.rpartition(";")[2])
    assert executed == []
    assert not (bundle_path.parent / MARKER).exists()


def test_any_flipped_bit_is_refused(bundle_path: Path) -> None:
    rng = np.random.default_rng(4)
    files = sorted(p for p in bundle_path.rglob("*") if p.is_file())
    assert {p.suffix for p in files} == {".json", ".npy", ".onnx", ".parquet", ".txt"}
    for n in range(200):
        file = files[n % len(files)]
        whole = file.read_bytes()
        flip(file.name, int(rng.integers(len(whole) * 8)))(file.parent)
        with pytest.raises(BundleError, match=re.escape(file.name)):
            load_bundle(bundle_path)
        file.write_bytes(whole)
    load_bundle(bundle_path)


def test_flipped_bits_of_models_in_a_forged_manifest(bundle_path: Path) -> None:
    """What golden outputs see without the help of hashes, and how large is what they do not see."""
    rng = np.random.default_rng(4)
    right = answers(load_bundle(bundle_path))
    refused = dict.fromkeys((DEEP, INTEREST, TREES), 0)
    unseen = []
    for name in list(refused) * 50:
        whole = (bundle_path / name).read_bytes()
        # What follows the trees (importances, settings of training) is not used.
        used = whole.index(b"end of trees") if name == TREES else len(whole)
        flip(name, int(rng.integers(used * 8)))(bundle_path)
        sign(bundle_path)
        try:
            found = answers(load_bundle(bundle_path))
        except BundleError:
            refused[name] += 1
        else:
            unseen.append(float(np.max(np.abs(found - right) / np.maximum(1, np.abs(right)))))
        (bundle_path / name).write_bytes(whole)
    harmful = [d for d in unseen if d > 1e-5]
    print(f"refused {refused} of 50 each; {unseen.count(0.0)} change nothing; unseen {sorted(unseen)[-10:]}")
    assert sum(refused.values()) >= 95
    assert len(harmful) <= 0.05 * sum(refused.values())


def test_flipped_bits_of_the_item_table_in_a_forged_manifest(tmp_path: Path) -> None:
    """The reader of Parquet files panics on some of them; any is read or refused."""
    folder = tmp_path / "bundle"
    write_bundle(folder, item_ids=[i.item_id for i in ITEMS])
    table = folder / "items.parquet"
    whole, rng = table.read_bytes(), np.random.default_rng(7)
    reasons = []
    for bit in rng.integers(len(whole) * 8, size=400).tolist():
        flip("items.parquet", bit)(folder)
        sign(folder)
        try:
            load_bundle(folder)
        except BundleError as error:
            reasons.append(str(error))
        table.write_bytes(whole)
    print(f"refused {len(reasons)} of 400")
    assert len(reasons) > 100
    assert all(f"{table}: " in reason for reason in reasons)


def answers(bundle: Bundle) -> np.ndarray:
    """What its models answer to other inputs than the golden ones."""
    rng = np.random.default_rng(9)
    features = rng.normal(size=(200, 4)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    feeds: dict[str, np.ndarray] = {
        "recent": rng.normal(size=(50, 8, 4)).astype(np.float32),
        "types": rng.integers(0, 5, (50, 8)),
        "ages": rng.uniform(0, 9, (50, 8)).astype(np.float32),
        "history": rng.normal(size=(50, 4)).astype(np.float32),
    }
    trees = bundle.models["lightgbm"].runner
    assert isinstance(trees, TreeModel)
    interest = bundle.models["interest"].onnx.run(feeds)
    parts = [*interest.values(), bundle.models["deep"].onnx.run({"features": features})["score"]]
    return np.concatenate([*(p.ravel() for p in parts), trees.predict(features)])
