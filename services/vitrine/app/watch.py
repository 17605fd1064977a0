"""Looks at the bundle's folder and at the configuration file every so often, and reloads what has come to rest."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from vitrine.app.every import Every
from vitrine.bundle.manifest import MANIFEST
from vitrine.errors import VitrineError

WATCH_SECONDS = 2.0

Mark = tuple[str, int, int, int]


class Marks(NamedTuple):
    """How a folder looks from outside: name, inode, size and time of change of the manifest and of every file."""

    manifest: Mark
    files: tuple[Mark, ...]


def look_at(folder: Path) -> Marks | None:
    """How a bundle's folder looks; ``None`` while it is missing or has no manifest."""
    try:
        manifest = _mark(MANIFEST, (folder / MANIFEST).stat())
        files: list[Mark] = []
        # A bundle is one level of folders deep.
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    files.append(_mark(entry.name, entry.stat(follow_symlinks=False)))
                    continue
                with os.scandir(entry.path) as below:
                    files += [_mark(f"{entry.name}/{e.name}", e.stat(follow_symlinks=False)) for e in below]
    except OSError:
        return None
    return Marks(manifest, tuple(sorted(files)))


def mark_of(file: Path) -> Mark | None:
    """How a file looks, behind links that lead to it; ``None`` while there is none."""
    try:
        return _mark(file.name, file.stat())
    except OSError:
        return None


def _mark(name: str, status: os.stat_result) -> Mark:
    return name, status.st_ino, status.st_size, status.st_mtime_ns


class Watched(Protocol):
    """Something that is read again when it has changed: the folder of the bundle, the configuration file."""

    @property
    def seen(self) -> object | None:
        """How it looked when it was last read, well or not."""
        ...

    def look(self) -> object | None:
        """How it looks now; ``None`` while it is missing."""
        ...

    def reload(self) -> object:
        """Reads it again."""
        ...


class Watch:
    """Looks after what is watched in the event loop's background; the looking itself is done in the reloading thread.

    What has changed is read when it looks the same twice in a row: a copy in progress is left to finish. What was
    refused is read again as soon as it changes.

    Args:
        watched: What to look at.
        thread: Where that is done.
        tidy: Done at each look, whether or not anything is watched.
        seconds: How often.
    """

    def __init__(
        self,
        watched: Sequence[Watched],
        thread: Executor,
        *,
        tidy: Callable[[], None] | None = None,
        seconds: float = WATCH_SECONDS,
    ) -> None:
        # Each with how it looked when it was found changed.
        self._watched: list[tuple[Watched, object | None]] = [(one, None) for one in watched]
        self._thread = thread
        self._tidy = tidy
        self._every = Every(seconds, self._look, "looking for changes")

    def start(self) -> None:
        """Begins, in the running event loop."""
        self._every.start()

    async def close(self) -> None:
        """Ends it."""
        await self._every.close()

    async def _look(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.look)

    def look(self) -> None:
        """Looks once."""
        if self._tidy is not None:
            self._tidy()
        for place, (one, changed) in enumerate(self._watched):
            self._watched[place] = (one, self._look_at(one, changed))

    @staticmethod
    def _look_at(one: Watched, changed: object | None) -> object | None:
        marks = one.look()
        # It is missing for a moment while another takes its place.
        if marks is None or marks == one.seen:
            return None
        if marks == changed:
            # The reloader has logged and counted what is wrong.
            with suppress(VitrineError):
                one.reload()
        return marks
