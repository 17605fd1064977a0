"""Reads the files of a bundle: each opened once, checked, and mapped into memory. Nothing is executed."""

import hashlib
import io
import mmap
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.bundle.manifest import MANIFEST, Manifest, decode_manifest
from vitrine.errors import BundleError

_AGAIN = "copy or train the bundle again"
_HEADER_LIMIT = 4096


class BundleFiles:
    """The verified files of a bundle folder.

    Attributes:
        path: The folder.
        manifest: Its manifest.

    Raises:
        BundleError: A file is missing, changed, not listed, or not a plain file of this folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir():
            raise BundleError(
                f"{path}: no such bundle folder; make one with `vitrine train DATA --out {path}`"
            )
        if not (path / MANIFEST).exists():
            raise BundleError(
                f"{path}: has no {MANIFEST}, so it is no bundle; make one with `vitrine train DATA --out {path}`"
            )
        self.manifest: Manifest = decode_manifest(bytes(_map(path / MANIFEST)), str(path / MANIFEST))
        _refuse_strangers(path, set(self.manifest.files) | {MANIFEST})
        self._maps: dict[str, mmap.mmap | bytes] = {}
        for name, entry in self.manifest.files.items():
            data = _map(path / name)
            if len(data) != entry.bytes:
                raise BundleError(f"{path / name}: has {len(data)} bytes instead of {entry.bytes}; {_AGAIN}")
            if hashlib.sha256(data).hexdigest() != entry.sha256:
                raise BundleError(f"{path / name}: its SHA-256 does not match, it was changed; {_AGAIN}")
            self._maps[name] = data

    def __contains__(self, name: str) -> bool:
        return name in self._maps

    def data(self, name: str) -> mmap.mmap | bytes:
        """The bytes of a file, read-only.

        Raises:
            BundleError: The manifest does not list it.
        """
        if name not in self._maps:
            raise BundleError(
                f"{self.path / name}: the manifest does not list it, but it is needed; {_AGAIN}"
            )
        return self._maps[name]

    def array(self, name: str, dtype: str, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
        """An array of a ``.npy`` file, mapped and read-only.

        Args:
            name: Name of the file.
            dtype: Expected type, little-endian.
            shape: Expected shape; ``None`` for any length.

        Raises:
            BundleError: It is of another type or shape, or holds Python objects.
        """
        data = self.data(name)
        where = self.path / name
        header = io.BytesIO(data[:_HEADER_LIMIT])
        try:
            version = np.lib.format.read_magic(header)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            found, fortran, stored = read(header)
        except (ValueError, EOFError) as error:
            raise BundleError(f"{where}: not a .npy file ({error}); {_AGAIN}") from None
        if stored.hasobject:
            raise BundleError(
                f"{where}: holds pickled Python objects, which can run code; do not use this bundle"
            )
        if stored != np.dtype(dtype).newbyteorder("<") or fortran:
            raise BundleError(f"{where}: has type {stored.str} instead of {dtype}; {_AGAIN}")
        if len(found) != len(shape) or any(w not in {None, f} for f, w in zip(found, shape, strict=True)):
            wanted = ", ".join("any" if w is None else str(w) for w in shape)
            raise BundleError(f"{where}: has shape {found} instead of ({wanted}); {_AGAIN}")
        count = int(np.prod(found, dtype=np.int64))
        if header.tell() + count * stored.itemsize != len(data):
            raise BundleError(f"{where}: its length does not fit its shape {found}; {_AGAIN}")
        return np.frombuffer(data, stored, count, header.tell()).reshape(found)

    def finite(self, name: str, array: npt.NDArray[np.generic]) -> None:
        """Refuses NaN and infinities.

        Raises:
            BundleError: There are some.
        """
        if not np.isfinite(array).all():
            raise BundleError(f"{self.path / name}: holds NaN or infinite numbers; {_AGAIN}")


def _map(path: Path) -> mmap.mmap | bytes:
    """Opens a plain file that belongs to this folder alone, and maps it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BundleError(f"{path}: the manifest lists it, but it is missing; {_AGAIN}") from None
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be read ({error.strerror})"
        raise BundleError(f"{path}: {reason}; {_AGAIN}") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path}: is not a plain file; {_AGAIN}")
        if status.st_nlink != 1:
            raise BundleError(
                f"{path}: is a hard link, another name of it could change it; copy the bundle with `cp -r`"
            )
        return mmap.mmap(handle, 0, access=mmap.ACCESS_READ) if status.st_size else b""
    finally:
        os.close(handle)


def _refuse_strangers(path: Path, listed: set[str]) -> None:
    folders = {name.split("/")[0] for name in listed if "/" in name}
    for folder in ("", *sorted(folders)):
        if folder and (path / folder).is_symlink():
            raise BundleError(f"{path / folder}: is a symbolic link; {_AGAIN}")
        if folder and not (path / folder).is_dir():
            raise BundleError(f"{path / folder}: the manifest lists files in it, but it is missing; {_AGAIN}")
        for entry in sorted((path / folder).iterdir()):
            name = entry.relative_to(path).as_posix()
            if name not in listed and name not in folders:
                raise BundleError(f"{entry}: is not listed in {MANIFEST}; remove it, or {_AGAIN}")
