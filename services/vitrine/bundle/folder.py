"""The folder of a bundle: plain files of its own, read once, and nothing else."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from vitrine.bundle.manifest import MANIFEST
from vitrine.errors import BundleError

AGAIN = "copy or train the bundle again"


@contextmanager
def opened(path: Path, expected: int | None = None) -> Iterator[FileIO]:
    """A plain file that belongs to this folder alone, of so many bytes where that is known, to be read.

    Raises:
        BundleError: It is missing, a link, no plain file, or of another size.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BundleError(f"{path}: the manifest lists it, but it is missing; {AGAIN}") from None
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be read ({error.strerror})"
        raise BundleError(f"{path}: {reason}; {AGAIN}") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path}: is not a plain file; {AGAIN}")
        if status.st_nlink != 1:
            raise BundleError(
                f"{path}: is a hard link, another name of it could change it; copy the bundle with `cp -r`"
            )
        if expected not in {None, status.st_size}:
            raise BundleError(f"{path}: has {status.st_size} bytes instead of {expected}; {AGAIN}")
        yield FileIO(handle, closefd=False)
    finally:
        os.close(handle)


def refuse_strangers(path: Path, listed: set[str]) -> None:
    """Refuses what is in a folder and is not listed, and links.

    Raises:
        BundleError: There is some.
    """
    folders = {name.split("/")[0] for name in listed if "/" in name}
    for folder in ("", *sorted(folders)):
        if folder and (path / folder).is_symlink():
            raise BundleError(f"{path / folder}: is a symbolic link; {AGAIN}")
        if folder and not (path / folder).is_dir():
            raise BundleError(f"{path / folder}: the manifest lists files in it, but it is missing; {AGAIN}")
        for entry in sorted((path / folder).iterdir()):
            name = entry.relative_to(path).as_posix()
            if name not in listed and name not in folders:
                raise BundleError(f"{entry}: is not listed in {MANIFEST}; remove it, or {AGAIN}")
