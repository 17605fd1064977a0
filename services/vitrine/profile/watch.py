"""Wakes the calls that watch the activity, from the writing thread into their event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from vitrine.domain.events import Activity
from vitrine.profile.profiles import Profiles


class Watchers:
    """The watching calls of one event loop.

    Attributes:
        stopped: Whether the watches shall end.
    """

    def __init__(self, profiles: Profiles) -> None:
        self.stopped = False
        self._profiles = profiles
        self._events: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def join(self) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever something was recorded."""
        if not self._events:
            self._loop = asyncio.get_running_loop()
            self._profiles.subscribe(self._recorded)
        event = asyncio.Event()
        self._events.add(event)
        try:
            yield event
        finally:
            self._events.discard(event)
            if not self._events:
                self._profiles.unsubscribe(self._recorded)

    def stop(self) -> None:
        """Ends the watches; call it in their event loop."""
        self.stopped = True
        self._wake()

    def _recorded(self, _: Activity) -> None:
        """Runs in the writing thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for event in self._events:
            event.set()
