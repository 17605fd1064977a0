"""One process owns a store."""

import fcntl
import os
from pathlib import Path

from vitrine.errors import ConfigError


class StoreLock:
    """Holds a store for as long as it is open; the system lets go of it however the process ends."""

    def __init__(self, directory: Path, name: str) -> None:
        """Takes the lock ``name`` in a directory that exists.

        Raises:
            ConfigError: Another server, or another part of this one, holds it.
        """
        self._file = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise ConfigError(
                f"the store {directory} is in use by another server; stop it or choose another --store"
            ) from None

    def release(self) -> None:
        """Lets go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def make_directory(directory: Path) -> None:
    """Makes a directory and its parents so that they survive a power cut."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in missing:
            sync_directory(path.parent)
    except OSError as error:
        raise ConfigError(
            f"the store {directory} cannot be made: {error.strerror}; choose another --store"
        ) from None


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
