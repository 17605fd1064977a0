"""The folder of a bundle: plain files of its own, read once, and nothing else."""

import mmap
import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from vitrine.bundle.manifest import MANIFEST
from vitrine.errors import BundleError

AGAIN = "copy or train the bundle again"

# Read and hashed at a time: less than the cache of a core.
_CHUNK = 1 << 18


class Plain(NamedTuple):
    """The bytes of a file, read-only, and their SHA-256 as hexadecimal digits."""

    data: memoryview
    sha256: str


def read_plain(path: Path, expected: int | None = None) -> Plain:
    """Reads a plain file that belongs to this folder alone, of so many bytes where that is known.

    It is copied, not mapped: somebody who writes over a file in place would change or end what a server has mapped,
    which then answers nonsense or dies of SIGBUS. Each piece is hashed as it was read, while the processor's cache has
    it. Neither holds the GIL, so that files can be read side by side.

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
        size = status.st_size
        if expected not in {None, size}:
            raise BundleError(f"{path}: has {size} bytes instead of {expected}; {AGAIN}")
        hashed = sha256()
        if size == 0:
            return Plain(memoryview(b""), hashed.hexdigest())
        # Pages of its own: all of them go back to the system when the bundle is let go of. No huge ones: to find them costs
        # the system up to twice what hashing does.
        data = memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        done = 0
        with open(handle, "rb", buffering=0, closefd=False) as file:
            while done < size and (got := file.readinto(data[done : done + _CHUNK])):
                hashed.update(data[done : done + got])
                done += got
        if done < size:
            raise BundleError(f"{path}: has {done} bytes instead of {size}; {AGAIN}")
        return Plain(data.toreadonly(), hashed.hexdigest())
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
