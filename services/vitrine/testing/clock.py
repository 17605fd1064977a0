"""Sets the clock that a plugin sees, to find out whether it looks at it."""

import datetime as dt
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import ModuleType
from typing import Any, Self
from unittest.mock import patch

_AHEAD = timedelta(days=400)


class _Later(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp((datetime.now(UTC) + _AHEAD).timestamp(), tz)

    @classmethod
    def utcnow(cls) -> Self:
        return cls.now(UTC).replace(tzinfo=None)


class _LaterDay(date):
    @classmethod
    def today(cls) -> Self:
        then = date.today() + _AHEAD  # noqa: DTZ011 (as `date.today` has it)
        return cls(then.year, then.month, then.day)


@contextmanager
def a_year_later(plugin: ModuleType) -> Iterator[None]:
    """For whoever asks Python's clock, more than a year has gone by.

    What tells the time is replaced in the modules `time` and `datetime`, and in those of the plugin under whatever name
    they have it. A clock that native code reads goes on.
    """
    seconds, nanoseconds = time.time, time.time_ns
    later: dict[Any, Any] = {
        seconds: lambda: seconds() + _AHEAD.total_seconds(),
        nanoseconds: lambda: nanoseconds() + int(_AHEAD.total_seconds()) * 10**9,
        datetime: _Later,
        date: _LaterDay,
    }
    package = plugin.__name__.partition(".")[0]
    loaded = [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == package]
    modules = {id(module): module for module in (time, dt, plugin, *loaded)}.values()
    with ExitStack() as patches:
        for module in modules:
            for name, value in list(vars(module).items()):
                replaced = next((new for old, new in later.items() if value is old), None)
                if replaced is not None:
                    patches.enter_context(patch.object(module, name, replaced))
        yield
