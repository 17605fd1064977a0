"""Reads the files of a bundle, all of them in memory and verified. Nothing is executed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.bundle.folder import AGAIN
from vitrine.bundle.image import Image
from vitrine.bundle.manifest import MANIFEST
from vitrine.bundle.npy import PickledError, read_npy
from vitrine.errors import BundleError

T = TypeVar("T", bound=np.generic)

# Numbers that are looked at together.
PIECE = 1 << 16


class BundleFiles:
    """The verified files of a bundle.

    Args:
        image: Them in memory; it may be closed.

    Attributes:
        path: The folder.
        manifest: Its manifest.
    """

    def __init__(self, image: Image) -> None:
        self.path, self.manifest = image.path, image.manifest
        self._image = image
        self._used: set[str] = set()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The files of a folder.

        Args:
            path: The folder, or where another process holds what it read (`vitrine.bundle.image.Image.where`).

        Raises:
            BundleError: A file is missing, changed, not listed, or not a plain file of this folder.
        """
        image = Image.open(path) if path.exists() and not path.is_dir() else Image.read(path)
        # What is mapped stays.
        image.close()
        return cls(image)

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.files

    def data(self, name: str) -> memoryview:
        """The bytes of a file, read-only.

        Raises:
            BundleError: The manifest does not list it.
        """
        if name not in self:
            raise BundleError(f"{self.path / name}: the manifest does not list it, but it is needed; {AGAIN}")
        self._used.add(name)
        return self._image.data(name)

    def refuse_unused(self) -> None:
        """Refuses what nothing asked for: a bundle of another make, or half of a part.

        Raises:
            BundleError: There is such a file.
        """
        for name in sorted(set(self.manifest.files) - self._used):
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
        for piece in _pieces(array):
            if not np.isfinite(piece).all():
                raise BundleError(f"{self.path / name}: holds NaN or infinite numbers; {AGAIN}")

    def within(self, name: str, rows: npt.NDArray[np.int32], n: int) -> None:
        """Refuses rows of no item.

        Raises:
            BundleError: There are some.
        """
        # Those below 0 are above all others then.
        for piece in _pieces(rows.view(np.uint32)):
            if piece.max() >= n:
                raise BundleError(f"{self.path / name}: names rows outside 0 to {n - 1}; {AGAIN}")


def _pieces(array: npt.NDArray[T]) -> Iterator[npt.NDArray[T]]:
    """The numbers of an array in pieces that stay in the processor's cache while they are looked at."""
    numbers = array.reshape(-1)
    for start in range(0, len(numbers), PIECE):
        yield numbers[start : start + PIECE]
