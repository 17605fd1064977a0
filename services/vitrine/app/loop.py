"""The event loop of the processes of a server."""

import asyncio
from collections.abc import Callable

# A thread that computes hands over to the event loop after this many seconds; Python's own 5 ms would be felt.
SWITCH_SECONDS = 0.001


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the quickest event loop there is here; ``None`` for Python's own."""
    try:
        import uvloop
    except ModuleNotFoundError:  # Windows
        return None
    return uvloop.new_event_loop
