"""Does something again and again in the background of the event loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

log = logging.getLogger(__name__)


class Every:
    """Calls something every so many seconds until it is closed, whatever goes wrong.

    Args:
        seconds: How often.
        what: It is awaited before the next pause begins.
        name: What it does, for the log.
    """

    def __init__(self, seconds: float, what: Callable[[], Awaitable[None]], name: str) -> None:
        self._seconds = seconds
        self._what = what
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, in the running event loop, with a pause."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self._what()
            except Exception:  # What died would look like what finds nothing.
                log.exception("%s failed; trying again", self._name)
