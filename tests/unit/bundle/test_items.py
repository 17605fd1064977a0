"""Which items a bundle is of: remembered by the store of a catalogue, and never at the price of a check."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.small_bundle import ITEMS, write_small_bundle
from vitrine.bundle import items as module
from vitrine.bundle import load_bundle, write_bundle
from vitrine.bundle.files import BundleFiles
from vitrine.catalog import Catalog
from vitrine.catalog.beside import FOLDER
from vitrine.catalog.mirror import CatalogMirror
from vitrine.catalog.store import CatalogStore
from vitrine.content.text import text_hashes
from vitrine.errors import BundleError, Unavailable

IDS = [item.item_id for item in ITEMS]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Parquet files that were read."""
    calls: list[str] = []
    original = module._read

    def spy(files: BundleFiles, file: memoryview) -> module.Items:
        calls.append(files.manifest.version)
        return original(files, file)

    monkeypatch.setattr(module, "_read", spy)
    return calls


def opened(folder: Path) -> CatalogStore:
    return CatalogStore.open(folder, Catalog(0))


def test_the_next_start_takes_them_from_the_store(
    small_bundle: Path, tmp_path: Path, read: list[str]
) -> None:
    store = opened(tmp_path)
    first = load_bundle(small_bundle, memory=store)
    store.close()
    assert read == [first.version]
    store = opened(tmp_path)
    again = load_bundle(small_bundle, memory=store)
    assert len(read) == 1
    assert list(again.item_ids) == list(first.item_ids) == IDS
    assert (again.item_ids[2], again.item_ids[1:3], len(again)) == (IDS[2], IDS[1:3], len(IDS))
    np.testing.assert_array_equal(again.text_hashes, text_hashes(ITEMS))
    assert again.text_hashes.dtype == np.uint64
    store.close()


def test_another_bundle_is_read(small_bundle: Path, tmp_path: Path, read: list[str]) -> None:
    store = opened(tmp_path / "store")
    load_bundle(small_bundle, memory=store)
    write_bundle(tmp_path / "b", item_ids=IDS[::-1])
    read.clear()
    for _ in range(2):
        assert list(load_bundle(tmp_path / "b", memory=store).item_ids) == IDS[::-1]
    assert len(read) == 1
    store.close()


def test_a_file_that_changed_is_refused_though_it_is_remembered(bundle_path: Path, tmp_path: Path) -> None:
    store = opened(tmp_path / "store")
    load_bundle(bundle_path, memory=store)
    file = bundle_path / "items.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleError, match=r"items\.parquet: its SHA-256 does not match"):
        load_bundle(bundle_path, memory=store)
    file.unlink()
    with pytest.raises(BundleError, match=r"items\.parquet: .* it is missing"):
        load_bundle(bundle_path, memory=store)
    store.close()


def test_an_owner_has_them_remembered_for_its_workers(
    small_bundle: Path, tmp_path: Path, read: list[str]
) -> None:
    store = opened(tmp_path)
    image = module.image_of(small_bundle, store)
    mirror = CatalogMirror(tmp_path, Catalog(0))
    assert list(load_bundle(image.where, memory=mirror).item_ids) == IDS
    assert read == [image.manifest.version]
    image.close()
    mirror.close()
    store.close()


def test_a_damaged_memory_is_none(small_bundle: Path, tmp_path: Path, read: list[str]) -> None:
    store = opened(tmp_path)
    load_bundle(small_bundle, memory=store)
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert list(load_bundle(small_bundle, memory=store).item_ids) == IDS
    assert len(read) == 2
    store.close()


def test_a_store_that_cannot_keep_them_only_costs_time(
    small_bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        def kept(self, _: str) -> None:
            return None

        def keep(self, _: str, __: bytes) -> None:
            raise Unavailable("the disk is full")

    assert list(load_bundle(small_bundle, memory=Full()).item_ids) == IDS
    assert "the next start will take longer: the disk is full" in caplog.text


def test_a_start_that_remembers_them_loads_no_polars(tmp_path: Path) -> None:
    write_small_bundle(tmp_path / "bundle")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from vitrine.bundle import load_bundle\n"
        "from vitrine.catalog import Catalog\n"
        "from vitrine.catalog.store import CatalogStore\n"
        "store = CatalogStore.open(Path('store'), Catalog(0))\n"
        "bundle = load_bundle('bundle', memory=store)\n"
        "print('polars' in sys.modules, *bundle.item_ids)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert said == [["True", *IDS], ["False", *IDS]]
