"""The files of a bundle as one block of memory that nobody can change any more, and that processes can share."""

import mmap
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

from vitrine.bundle.folder import AGAIN, opened, refuse_strangers
from vitrine.bundle.manifest import MANIFEST, Manifest, decode_manifest
from vitrine.errors import BundleError

if sys.platform == "linux":
    import fcntl

    # Nothing where Python was built for older systems, which do not have such files.
    _SEALS = 0
    if hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS"):
        _SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

# Threads that read and hash, and what each reads at a time: less than the cache of a core.
_READERS, _CHUNK = 2, 1 << 18
# Bytes of the length of the manifest, which comes first.
_LENGTH = 8


class Image:
    """A verified bundle: its manifest, then its files, each from the start of a page on.

    It is a copy, not a mapping of the files: somebody who writes over one in place would change what a server works with,
    or end it by SIGBUS. The copy is a file in memory without a name that the system lets nobody change any more, its maker
    included (memfd_create(2), and seals, fcntl(2)). So other processes can map it without reading or hashing anything, and
    all of them together take its memory once. Where the system makes no such file, the copy is a file without a name that
    nobody else can open.

    Args:
        path: What texts call it.
        fd: The file in memory, complete; it belongs to this object from now on.

    Attributes:
        path: What it was made from.
        manifest: What it says of itself.
        where: What other processes of this user open until it is closed; the folder, where they cannot.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd
        self.where = _reached(fd) or path
        # Private: older systems map no sealed file otherwise. Nothing is written, so its pages are shared all the same.
        size = os.fstat(fd).st_size
        self._block = memoryview(mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))
        end = _LENGTH + int.from_bytes(self._block[:_LENGTH], "little")
        self.manifest = decode_manifest(bytes(self._block[_LENGTH:end]), str(path / MANIFEST))
        self._places = _places(self.manifest, end)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Copies a folder and verifies every file of it.

        Raises:
            BundleError: A file is missing, changed, not listed, or not a plain file of this folder; or there is no memory.
        """
        if not path.is_dir():
            raise BundleError(
                f"{path}: no such bundle folder; make one with `vitrine train DATA --out {path}`"
            )
        if not (path / MANIFEST).exists():
            raise BundleError(
                f"{path}: has no {MANIFEST}, so it is no bundle; make one with `vitrine train DATA --out {path}`"
            )
        with opened(path / MANIFEST) as file:
            raw = file.read()
        manifest = decode_manifest(raw, str(path / MANIFEST))
        refuse_strangers(path, set(manifest.files) | {MANIFEST})
        places = _places(manifest, _LENGTH + len(raw))
        fd = -1

        def copy(name: str) -> None:
            entry = manifest.files[name]
            if _copied(path / name, entry.bytes, fd, places[name]) != entry.sha256:
                raise BundleError(f"{path / name}: its SHA-256 does not match, it was changed; {AGAIN}")

        try:
            fd = _memory()
            _put(fd, len(raw).to_bytes(_LENGTH, "little") + raw, 0)
            # The largest first, so that none is left over for one thread alone at the end.
            with ThreadPoolExecutor(_READERS) as threads:
                list(threads.map(copy, sorted(places, key=lambda name: -manifest.files[name].bytes)))
            _seal(fd)
            return cls(path, fd)
        except BaseException as error:
            if fd >= 0:
                os.close(fd)
            if isinstance(error, OSError):
                raise BundleError(
                    f"{path}: cannot be copied into memory ({error.strerror}); make room, or {AGAIN}"
                ) from None
            raise

    @classmethod
    def open(cls, where: Path) -> Self:
        """What another process of this user has read and verified.

        Args:
            where: Its `where` there.

        Raises:
            BundleError: It is gone, or could still be changed.
        """
        try:
            fd = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise BundleError(f"{where}: the bundle of the owner cannot be read ({error.strerror})") from None
        try:
            if not _sealed(fd):
                raise BundleError(
                    f"{where}: is neither a folder nor a bundle in memory; name the folder of a bundle"
                )
            return cls(where, fd)
        except BaseException:
            os.close(fd)
            raise

    def data(self, name: str) -> memoryview:
        """The bytes of a listed file, read-only; who holds them may close the image."""
        at = self._places[name]
        return self._block[at : at + self.manifest.files[name].bytes]

    def close(self) -> None:
        """No further process can open it; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _places(manifest: Manifest, start: int) -> dict[str, int]:
    """Where each file begins."""
    places: dict[str, int] = {}
    for name, entry in sorted(manifest.files.items()):
        # Arrays on whole pages: where any processor likes them.
        places[name] = start = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
        start += entry.bytes
    return places


def _copied(path: Path, size: int, fd: int, at: int) -> str:
    """Copies a file to a place of another; the SHA-256 of what was written."""
    hashed, done = sha256(), 0
    with opened(path, size) as file:
        buffer = memoryview(bytearray(min(_CHUNK, size)))
        # Each piece is hashed while the processor's cache has it. None of this holds the GIL.
        while done < size and (got := file.readinto(buffer[: size - done])):
            hashed.update(buffer[:got])
            _put(fd, buffer[:got], at + done)
            done += got
    if done < size:
        raise BundleError(f"{path}: has {done} bytes instead of {size}; {AGAIN}")
    return hashed.hexdigest()


def _put(fd: int, data: bytes | memoryview, at: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(fd, memoryview(data)[done:], at + done)


def _memory() -> int:
    """A file without a name, in memory where the system makes such."""
    if sys.platform == "linux" and _SEALS:
        # Some sandboxes forbid it (seccomp(2)), and so can the administrator (vm.memfd_noexec).
        with suppress(OSError):
            return os.memfd_create("vitrine-bundle", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _seal(fd: int) -> None:
    """Nobody can change a file any more, if it is one in memory."""
    if sys.platform == "linux" and _SEALS:
        with suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)


def _sealed(fd: int) -> bool:
    """Whether nobody can change a file any more."""
    if sys.platform == "linux" and _SEALS:
        with suppress(OSError):  # what is no file in memory has no seals
            return fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    return False


def _reached(fd: int) -> Path | None:
    """Where other processes of this user open a sealed file; nothing where they cannot."""
    ours = Path(f"/proc/{os.getpid()}/fd")
    with suppress(OSError):  # not every system, or container, has it
        # The files of a process that others may not look into, as that of a program with capabilities, are root's.
        if _sealed(fd) and ours.stat().st_uid == os.geteuid():
            return ours / str(fd)
    return None
