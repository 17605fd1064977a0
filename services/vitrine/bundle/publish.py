"""Puts files of a bundle on the disk, and a finished bundle in its place."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vitrine.bundle.entries import FileEntry
from vitrine.bundle.manifest import MANIFEST
from vitrine.errors import BundleError


def check_target(target: Path) -> None:
    """Refuses to replace anything but a bundle or an empty folder.

    Raises:
        BundleError: Something else is there.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise BundleError(f"{target}: is not a folder; choose another --out")
    if target.is_dir() and not (target / MANIFEST).is_file() and any(target.iterdir()):
        raise BundleError(
            f"{target}: is neither empty nor a bundle, and would be replaced; choose another --out"
        )


def save(path: Path, data: npt.NDArray[np.generic] | bytes) -> None:
    """Writes bytes, or an array as little-endian ``.npy`` that holds no pickle."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            little = np.ascontiguousarray(data, data.dtype.newbyteorder("<"))
            np.lib.format.write_array(file, little, version=(1, 0), allow_pickle=False)


def entry_of(path: Path) -> FileEntry:
    """Hash and size of a file that is on the disk and not only in memory when this returns."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return FileEntry(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def publish(work: Path, target: Path) -> None:
    """Puts the finished folder in its place; the one that was there goes."""
    work.chmod(0o755)  # mkdtemp makes it private
    old: Path | None = None
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
        target.rename(old / target.name)
    work.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
