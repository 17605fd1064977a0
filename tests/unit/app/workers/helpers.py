"""Workers without processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from vitrine.app.workers import pool as module
from vitrine.app.workers.asking import Asking
from vitrine.app.workers.messages import Answer, Ask, Beat, Reloaded, Start
from vitrine.app.workers.pool import Pool
from vitrine.app.workers.switching import Wanted, encoded
from vitrine.config import load_config


class Worker:
    """A worker without a process, which answers at once unless it is told to wait.

    Attributes:
        made: All, in the order in which they were made.
        on_start: Done when one is started.
        slow: Numbers of those that do not answer.
        hang: Whether one that is started does not get ready.
        reloads: What each reload of this one is to come to; without one, it switches.
        told: What it was told to switch to.
    """

    made: ClassVar[list["Worker"]] = []
    on_start: ClassVar[Callable[["Worker"], None]]
    slow: ClassVar[set[int]] = set()
    hang: ClassVar[bool] = False

    def __init__(self, number: int, gone: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        self.number, self.gone = number, gone
        self.waiting: dict[int, Any] = {}
        self.up, self.alive, self.unread, self.killed = False, True, 0, False
        self.heard, self.silent, self.version, self.beat = loop.time(), 0, "", Beat({}, [])
        self.begun: asyncio.Future[str] = loop.create_future()
        self.start_message: Start | None = None
        self.reloads: list[Reloaded | Exception] = []
        self.told: list[dict[str, Any]] = []
        self.up_when_told: list[bool] = []
        Worker.made.append(self)

    async def start(self) -> None:
        Worker.on_start(self)

    def send(self, message: object) -> None:
        """Takes it."""
        if isinstance(message, Start):
            self.start_message, self.version = message, Path(message.bundle).name
            if not self.hang:
                self.begun.set_result(self.version)

    def ask(self, ask: Ask, call: Any) -> None:
        self.waiting[ask.number] = call
        if self.number not in self.slow:
            self.waiting.pop(ask.number).answered(Answer(ask.number, bytes([self.number])))

    def forget(self, number: int) -> None:
        self.waiting.pop(number, None)

    async def reload(self, **wanted: Any) -> Reloaded:
        self.told.append(wanted)
        self.up_when_told.append(self.up)
        await asyncio.sleep(0)
        done = self.reloads.pop(0) if self.reloads else Reloaded(switched=True)
        if isinstance(done, Exception):
            raise done
        if not done.reason and wanted.get("bundle"):
            self.version = Path(wanted["bundle"]).name
        return done

    def end(self) -> None:
        self.alive = False
        self.gone(self)

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.alive = False

    def wait(self, _: float) -> str:
        return "signal 9"


class Kept:
    """A bundle in memory, as far as owners look at it."""

    def __init__(self, version: str) -> None:
        self.where = Path("/proc") / version
        self.manifest = SimpleNamespace(version=version)
        self.closed = False

    def close(self) -> None:
        self.closed = True


class _NoWait:
    def seconds(self) -> float:
        return 0.0


def without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has pools make such workers, and start them again at once."""
    monkeypatch.setattr(module, "Handle", Worker)
    monkeypatch.setattr(module, "Backoff", lambda: cast("Any", _NoWait()))
    Worker.made.clear()
    Worker.on_start, Worker.slow, Worker.hang = lambda _: None, set(), False


def make_pool(size: int, wanted: Wanted | None = None) -> Pool:
    """A pool that is not open; it serves nothing, unless told."""
    serves = wanted or Wanted(load_config())

    def start(number: int) -> Start:
        return Start(number, encoded(serves.config), "", serves.where, 2, 0.0, 0, b"")

    return Pool(size, start, serves.catch_up)


@asynccontextmanager
async def two_workers() -> AsyncIterator[tuple[Pool, Asking]]:
    """A pool of two that is open, and what asks them."""
    pool = make_pool(2)
    await pool.open()
    try:
        yield pool, Asking(pool, lambda: 0.0, lambda: 0)
    finally:
        await pool.close()


async def settle(done: Callable[[], bool]) -> None:
    """Waits until it has come to that."""
    for _ in range(1000):
        if done():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")
