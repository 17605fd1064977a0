"""Files beside the database of the catalogue: what it keeps and can do without. The database has their hashes."""

import mmap
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

FOLDER = "catalog.kept"


def write(directory: Path, name: str, data: bytes) -> bytes:
    """Puts a file in the place of the one of that name, which who has it open keeps; its SHA-256.

    Nothing waits for the disk: a file that is lost in a power cut is not that of its hash.

    Raises:
        OSError: It cannot be written.
    """
    folder = directory / FOLDER
    folder.mkdir(exist_ok=True)
    unfinished = folder / f"{name}.new"
    try:
        unfinished.write_bytes(data)
        unfinished.replace(folder / name)
    except OSError:
        # A full disk needs the room for what cannot be done without.
        with suppress(OSError):
            unfinished.unlink()
        raise
    return sha256(data).digest()


def read(directory: Path, name: str, digest: bytes, *, mapped: bool = True) -> memoryview | None:
    """A file, mapped: its pages are shared with other processes, and none is read before somebody looks at it again.

    Args:
        directory: That of the database.
        name: The file.
        digest: Its SHA-256.
        mapped: Whether it may be: that takes a descriptor for as long as somebody has it. Else it is copied.

    Returns:
        Nothing where there is no such file of that SHA-256.
    """
    try:
        with (directory / FOLDER / name).open("rb") as file:
            found = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if mapped else file.read()
    # The second: an empty file cannot be mapped.
    except (OSError, ValueError):
        return None
    data = memoryview(found)
    return data if sha256(data).digest() == digest else None
