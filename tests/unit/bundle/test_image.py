"""A bundle in memory: what was verified, whatever becomes of the folder, for this process and others."""

import errno
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle import image as image_module
from vitrine.bundle import load_bundle
from vitrine.bundle.image import Image
from vitrine.bundle.manifest import MANIFEST
from vitrine.errors import BundleError

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has files in memory that can be sealed"
)

# Loads what another process holds, searches it, and prints what of it lies in memory that is shared.
_OTHER = """
import sys, numpy as np
from vitrine.bundle import load_bundle
from vitrine.inference import TreeModel
bundle = load_bundle(sys.argv[1])
print(bundle.version, bundle.linear.scores(np.array([0], np.int32), np.ones(1)).tolist(), sorted(bundle.models))
"""


def damage(folder: Path, how: str) -> None:
    for file in sorted(folder.rglob("*.npy")):
        if how == "gone":
            file.unlink()
        elif how == "cut off":
            os.truncate(file, 10)
        else:
            size = file.stat().st_size
            with file.open("r+b") as opened:
                opened.write(b"\xff" * size)


@pytest.mark.parametrize("how", ["gone", "cut off", "written over"])
def test_what_becomes_of_the_files_changes_nothing(bundle_path: Path, how: str) -> None:
    bundle = load_bundle(bundle_path)
    before = {name: model.golden for name, model in bundle.models.items()}
    assert bundle.linear is not None
    assert bundle.content is not None
    vectors = bundle.content.vectors.copy()
    golden = {name: {n: a.copy() for n, a in arrays.items()} for name, arrays in before.items()}
    damage(bundle_path, how)
    assert bundle.linear.scores(np.array([0], np.int32), np.ones(1)).tolist() == [0, 0.5, 0.25, 0]
    np.testing.assert_array_equal(bundle.content.vectors, vectors)
    for name, arrays in golden.items():
        for n, array in arrays.items():
            np.testing.assert_array_equal(before[name][n], array)


def test_every_file_is_as_it_was_and_read_only(bundle_path: Path) -> None:
    image = Image.read(bundle_path)
    for name in image.manifest.files:
        data = image.data(name)
        assert data == (bundle_path / name).read_bytes()
        assert data.readonly
    image.close()
    image.close()
    assert image.data("items.parquet") == (bundle_path / "items.parquet").read_bytes()


@linux
def test_another_process_loads_what_was_verified_whatever_became_of_the_folder(bundle_path: Path) -> None:
    image = Image.read(bundle_path)
    here = load_bundle(bundle_path)
    shutil.rmtree(bundle_path)
    told = subprocess.run(
        [sys.executable, "-c", _OTHER, str(image.where)], capture_output=True, text=True, check=True
    )
    assert told.stdout.split(maxsplit=1)[0] == here.version
    assert "[0.0, 0.5, 0.25, 0.0]" in told.stdout
    assert str(sorted(here.models)) in told.stdout


@linux
def test_nobody_can_change_it(bundle_path: Path) -> None:
    image = Image.read(bundle_path)
    fd = os.open(image.where, os.O_RDWR)
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"x", 100)
    for size in (10, 1 << 30):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)
    with pytest.raises(PermissionError):
        mmap.mmap(fd, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    os.close(fd)


@linux
def test_what_could_still_be_changed_is_no_image(bundle_path: Path, tmp_path: Path) -> None:
    image = Image.read(bundle_path)
    plain = tmp_path / "copy"
    plain.write_bytes(image.where.read_bytes())
    with pytest.raises(BundleError, match="neither a folder nor a bundle in memory"):
        load_bundle(plain)
    open_to_all = os.memfd_create("copy")
    os.write(open_to_all, image.where.read_bytes())
    with pytest.raises(BundleError, match="neither a folder nor a bundle in memory"):
        load_bundle(f"/proc/self/fd/{open_to_all}")
    os.close(open_to_all)
    image.close()
    with pytest.raises(BundleError, match="no such bundle"):
        load_bundle(image.where)


def test_no_descriptor_is_left(bundle_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    if sys.platform != "linux":
        pytest.skip("counts by /proc")
    load_bundle(bundle_path)  # libraries that are loaded now have some of their own
    before = descriptors()
    bundle = load_bundle(bundle_path)
    # The mapping has one.
    assert descriptors() <= before + 1
    del bundle
    assert descriptors() == before
    (bundle_path / MANIFEST).write_text("{}")
    with pytest.raises(BundleError):
        load_bundle(bundle_path)
    assert descriptors() == before


@linux
@pytest.mark.parametrize("why", ["forbidden", "missing", "unseen"])
def test_where_no_memory_can_be_shared_the_folder_is_what_others_read(
    bundle_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    whole = {name: (bundle_path / name).read_bytes() for name in load_bundle(bundle_path).manifest.files}
    if why == "unseen":
        # As of a process with capabilities, whose descriptors are root's.
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    elif why == "missing":
        monkeypatch.setattr(image_module, "_SEALS", 0)
    else:
        monkeypatch.setattr(os, "memfd_create", refuse)
    image = Image.read(bundle_path)
    assert image.where == bundle_path
    assert load_bundle(image.where).version == image.manifest.version
    damage(bundle_path, "written over")
    assert all(image.data(name) == data for name, data in whole.items())
    image.close()


@linux
def test_without_a_descriptor_left_it_is_refused(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", refuse)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(BundleError, match=r"cannot be copied into memory \(Too many open files\)"):
        load_bundle(bundle_path)


def test_a_pipe_is_no_bundle_and_nobody_waits_for_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BundleError, match="neither a folder nor a bundle in memory"):
        load_bundle(tmp_path / "pipe")
