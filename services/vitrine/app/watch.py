"""Looks at the folder of the bundle every so often, and reloads it when it has changed and come to rest."""

import asyncio
import logging
import os
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from vitrine.bundle.manifest import MANIFEST
from vitrine.errors import VitrineError

log = logging.getLogger(__name__)

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


def _mark(name: str, status: os.stat_result) -> Mark:
    return name, status.st_ino, status.st_size, status.st_mtime_ns


class Reloading(Protocol):
    """What is watched for; `vitrine.app.reload.Reloader` is it."""

    folder: Path | None
    seen: Marks | None

    def reload(self) -> object:
        """Reads the folder again."""
        ...

    def expire(self) -> None:
        """Lets go of what was replaced long enough ago."""
        ...


class BundleWatch:
    """Looks after the bundle in the event loop's background; the looking itself is done in the reloading thread.

    A folder that has changed is read when it looks the same twice in a row: a copy in progress is left to finish.
    One that was refused is read again as soon as any file of it changes.

    Args:
        reloader: What reads the folder.
        thread: Where that is done.
        watching: Whether to look at the folder; what was replaced is let go of in any case.
        seconds: How often.
    """

    def __init__(
        self, reloader: Reloading, thread: Executor, *, watching: bool, seconds: float = WATCH_SECONDS
    ) -> None:
        self._reloader = reloader
        self._thread = thread
        self._watching = watching
        self._seconds = seconds
        self._changed: Marks | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await loop.run_in_executor(self._thread, self.look)
            except Exception:  # A watch that died would look like one that sees no change.
                log.exception("looking at the bundle failed; trying again")

    def look(self) -> None:
        """Looks once."""
        reloader = self._reloader
        reloader.expire()
        if not self._watching or reloader.folder is None:
            return
        marks = look_at(reloader.folder)
        # It is missing for a moment while another takes its place.
        if marks is None or marks == reloader.seen:
            self._changed = None
        elif marks != self._changed:
            self._changed = marks
        else:
            # The reloader has logged and counted what is wrong.
            with suppress(VitrineError):
                reloader.reload()
