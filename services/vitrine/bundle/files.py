"""Reads the files of a bundle: each read once into memory and checked there. Nothing is executed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.bundle.entries import FileEntry
from vitrine.bundle.folder import AGAIN, read_plain, refuse_strangers
from vitrine.bundle.manifest import MANIFEST, Manifest, decode_manifest
from vitrine.bundle.npy import PickledError, read_npy
from vitrine.errors import BundleError

# Threads that read and hash.
_READERS = 2


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
        self.manifest: Manifest = decode_manifest(
            bytes(read_plain(path / MANIFEST).data), str(path / MANIFEST)
        )
        refuse_strangers(path, set(self.manifest.files) | {MANIFEST})
        self._data: dict[str, memoryview] = {}
        self._used: set[str] = set()
        # The largest first, so that none is left over for one thread alone at the end.
        entries = sorted(self.manifest.files.items(), key=lambda named: -named[1].bytes)
        with ThreadPoolExecutor(_READERS) as threads:
            for name, data in threads.map(self._verified, entries):
                self._data[name] = data

    def _verified(self, named: tuple[str, FileEntry]) -> tuple[str, memoryview]:
        name, entry = named
        data, found = read_plain(self.path / name, entry.bytes)
        if found != entry.sha256:
            raise BundleError(f"{self.path / name}: its SHA-256 does not match, it was changed; {AGAIN}")
        return name, data

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def data(self, name: str) -> memoryview:
        """The bytes of a file, read-only.

        Raises:
            BundleError: The manifest does not list it.
        """
        if name not in self._data:
            raise BundleError(f"{self.path / name}: the manifest does not list it, but it is needed; {AGAIN}")
        self._used.add(name)
        return self._data[name]

    def refuse_unused(self) -> None:
        """Refuses what nothing asked for: a bundle of another make, or half of a part.

        Raises:
            BundleError: There is such a file.
        """
        for name in sorted(set(self._data) - self._used):
            raise BundleError(
                f"{self.path / name}: is listed in {MANIFEST}, but no part of a bundle; {AGAIN}"
            )

    def array(self, name: str, dtype: str, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
        """An array of a ``.npy`` file, read-only.

        Args:
            name: Name of the file.
            dtype: Expected type, little-endian.
            shape: Expected shape; ``None`` for any length.

        Raises:
            BundleError: It is of another type or shape, or holds Python objects.
        """
        array = self.array_of(name, (dtype,))
        found = array.shape
        if len(found) != len(shape) or any(w not in {None, f} for f, w in zip(found, shape, strict=True)):
            wanted = ", ".join("any" if w is None else str(w) for w in shape)
            raise BundleError(f"{self.path / name}: has shape {found} instead of ({wanted}); {AGAIN}")
        return array

    def array_of(self, name: str, dtypes: Sequence[str]) -> npt.NDArray[Any]:
        """An array of a ``.npy`` file in any shape, read-only.

        Args:
            name: Name of the file.
            dtypes: Expected types, little-endian.

        Raises:
            BundleError: It is of another type, or holds Python objects.
        """
        where = self.path / name
        try:
            return read_npy(self.data(name), dtypes)
        except PickledError as error:
            raise BundleError(f"{where}: {error}, which can run code; do not use this bundle") from None
        except ValueError as error:
            raise BundleError(f"{where}: {error}; {AGAIN}") from None

    def finite(self, name: str, array: npt.NDArray[np.generic]) -> None:
        """Refuses NaN and infinities.

        Raises:
            BundleError: There are some.
        """
        if not np.isfinite(array).all():
            raise BundleError(f"{self.path / name}: holds NaN or infinite numbers; {AGAIN}")
