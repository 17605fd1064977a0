"""One process at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import InvalidInput


@contextmanager
def alone(lock: Path, option: str, who: str) -> Iterator[int]:
    """Holds a lock; it goes with the process, whatever ends that.

    Args:
        lock: The file to lock; its folder is there.
        option: What names the folder.
        who: What works in such a folder, for people.

    Yields:
        The descriptor of the file. A child that it is passed to holds the lock as well.

    Raises:
        InvalidInput: Another process holds it.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it until now may have removed the folder with it.
            free = os.fstat(descriptor).st_nlink > 0
        except OSError:
            free = False
        if not free:
            raise InvalidInput(
                option, f"another {who} works in {lock.parent}; wait for it or give another folder"
            )
        yield descriptor
    finally:
        os.close(descriptor)
