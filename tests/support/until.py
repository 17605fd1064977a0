"""Waits for what comes about by itself, on a busy machine later than on an idle one."""

import asyncio
import time
from collections.abc import Callable

_PAUSE = 0.02


def until(what: str, true: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits until ``true`` says so; fails with ``what`` when it does not in so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(_PAUSE)


async def until_async(what: str, true: Callable[[], object], seconds: float = 20.0) -> None:
    """As `until`, while the event loop goes on."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        await asyncio.sleep(_PAUSE)
