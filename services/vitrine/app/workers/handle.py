"""The owner's side of one worker process."""

import asyncio
import subprocess
from collections.abc import Callable
from typing import Any, Protocol

from vitrine.app.workers import process
from vitrine.app.workers.link import Link
from vitrine.app.workers.messages import Answer, Ask, Beat, Failed, Forget, Ready, Reload, Reloaded, ToOwner
from vitrine.errors import BundleError, ConfigError, Timeout, Unavailable, VitrineError

# How long a worker that talks may take until it is ready to serve, at its start or by another bundle or configuration. A
# large shop's lists take two minutes; a plugin that hangs while it is made would keep all later reloads waiting.
READY_SECONDS = 300.0


class Waits(Protocol):
    """A call that a worker was asked to answer."""

    def answered(self, answer: Answer) -> None:
        """It has."""
        ...

    def lost(self, worker: "Handle") -> None:
        """The worker has ended before it did."""
        ...


class Handle:
    """One worker process, from its start to its end. Use it in the event loop.

    Args:
        number: Which worker it is.
        gone: Called once when it has ended, or does not talk any more.

    Attributes:
        number: Which worker it is.
        waiting: Calls that it has not answered yet, by their number.
        up: Whether it can be asked.
        heard: When it last said anything, by the loop's clock.
        silent: How often it was looked at since.
        beat: What it last said of itself.
        begun: The bundle that it has begun to serve, when it is ready; fails when it cannot be made.
    """

    def __init__(self, number: int, gone: Callable[["Handle"], None]) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.waiting: dict[int, Waits] = {}
        self.up = False
        self.heard = loop.time()
        self.silent = 0
        self.beat = Beat({}, [])
        self.begun: asyncio.Future[str] = loop.create_future()
        self._gone = gone
        self._loop = loop
        self._reloaded: asyncio.Future[Reloaded] | None = None
        self._link: Link | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts the process; raises `OSError` where the system has none left."""
        self._process, sock = process.start()
        self._link = await Link.over(sock, ToOwner, self._take, self._lost)

    def send(self, message: Any) -> None:
        """Tells it something."""
        if self._link is not None:
            self._link.send(message)

    def send_encoded(self, data: bytes) -> None:
        """Tells it something that is encoded already."""
        if self._link is not None:
            self._link.send_encoded(data)

    def ask(self, ask: Ask, waits: Waits) -> None:
        """Hands on a call."""
        self.waiting[ask.number] = waits
        self.send(ask)

    def forget(self, number: int) -> None:
        """Nobody waits for an answer any more."""
        if self.waiting.pop(number, None) is not None:
            self.send(Forget(number))

    async def reload(self, *, expected: str = "", bundle: str = "", config: bytes = b"") -> Reloaded:
        """Has it switch to another bundle or configuration, one at a time; one that hangs in that is ended.

        Raises:
            Unavailable: It ended meanwhile.
            Timeout: It was not done in time.
        """
        if self._link is None:
            raise Unavailable(f"worker {self.number} ended")
        self._reloaded = self._loop.create_future()
        self.send(Reload(expected, bundle, config))
        try:
            return await asyncio.wait_for(self._reloaded, READY_SECONDS)
        except TimeoutError:
            # It may still get there, and would then serve what nobody else does.
            self.kill()
            raise Timeout(
                f"worker {self.number} was not ready within {READY_SECONDS:.0f} s, a plugin may hang; it is started "
                "again with what is served"
            ) from None

    @property
    def alive(self) -> bool:
        """Whether its end of the socket is open."""
        return self._link is not None

    @property
    def unread(self) -> int:
        """Bytes that it was sent and has not read."""
        return 0 if self._link is None else self._link.unread

    def close(self) -> None:
        """Lets it end."""
        if self._link is not None:
            self._link.close()

    def kill(self) -> None:
        """Ends it at once; idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def wait(self, seconds: float) -> str:
        """As `process.wait`."""
        return "it was not started" if self._process is None else process.wait(self._process, seconds)

    def _take(self, message: ToOwner) -> None:
        self.heard, self.silent = self._loop.time(), 0
        match message:
            case Answer():
                waits = self.waiting.pop(message.number, None)
                if waits is not None:
                    waits.answered(message)
            case Beat():
                self.beat = message
            case Reloaded():
                if self._reloaded is not None and not self._reloaded.done():
                    self._reloaded.set_result(message)
            case Ready():
                # Nobody may wait for it any more.
                if not self.begun.done():
                    self.begun.set_result(message.version)
            case Failed():
                kind = BundleError if message.bundle else ConfigError
                self._fail(kind(message.text))

    def _fail(self, error: VitrineError) -> None:
        if not self.begun.done():
            self.begun.set_exception(error)

    def _lost(self) -> None:
        self._link = None
        self._fail(ConfigError(f"worker {self.number} ended while it started; the log above says why"))
        if self._reloaded is not None and not self._reloaded.done():
            self._reloaded.set_exception(Unavailable(f"worker {self.number} ended"))
        waiting, self.waiting = self.waiting, {}
        for waits in waiting.values():
            waits.lost(self)
        self._gone(self)
