"""The owner's side of one worker process."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Protocol

from vitrine.app.workers.link import Link
from vitrine.app.workers.messages import Answer, Ask, Beat, Failed, Forget, Ready, Reload, Reloaded, ToOwner
from vitrine.errors import BundleError, ConfigError, Unavailable, VitrineError

_MODULE = "vitrine.app.workers.child"
# One process a core already: threads inside of one product of matrices would stand in the others' way.
_ENVIRONMENT = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)


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
        version: The bundle that it serves.
        beat: What it last said of itself.
        begun: Done when it is ready; fails when it cannot be made.
    """

    def __init__(self, number: int, gone: Callable[["Handle"], None]) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.waiting: dict[int, Waits] = {}
        self.up = False
        self.heard = loop.time()
        self.silent = 0
        self.version = ""
        self.beat = Beat({}, [])
        self.begun: asyncio.Future[None] = loop.create_future()
        self._gone = gone
        self._loop = loop
        self._reloads: dict[int, asyncio.Future[Reloaded]] = {}
        self._link: Link | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts the process. A fresh one and no fork: gRPC and the locks of other threads do not survive a fork."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 (our own module; it takes milliseconds)
                # -P: without the working directory in front of its path.
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # A Ctrl-C is for the owner, which lets calls in flight finish first.
                start_new_session=True,
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._link = await Link.over(ours, ToOwner, self._take, self._lost)

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

    async def reload(self, wanted: Reload) -> Reloaded:
        """Has it switch to another bundle or configuration.

        Raises:
            Unavailable: It ended meanwhile.
        """
        if self._link is None:
            raise Unavailable(f"worker {self.number} ended")
        done = self._reloads[wanted.number] = self._loop.create_future()
        self.send(wanted)
        answer: Reloaded = await done
        if not wanted.config and not answer.reason:
            self.version = answer.version
        return answer

    @property
    def alive(self) -> bool:
        """Whether its end of the socket is open."""
        return self._link is not None

    @property
    def stuck(self) -> bool:
        """Whether it has stopped reading."""
        return self._link is not None and self._link.stuck

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """Lets it end."""
        if self._link is not None:
            self._link.close()

    def kill(self) -> None:
        """Ends it at once; idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def wait(self, seconds: float) -> str:
        """Waits until it has ended, ends it when it takes longer, and says how it ended; call it in a thread."""
        if self._process is None:
            return "it was not started"
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit status {code}"

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
                if (done := self._reloads.pop(message.number, None)) is not None and not done.done():
                    done.set_result(message)
            case Ready():
                self.version = message.version
                self.begun.set_result(None)
            case Failed():
                kind = BundleError if message.bundle else ConfigError
                self._fail(kind(message.text))

    def _fail(self, error: VitrineError) -> None:
        if not self.begun.done():
            self.begun.set_exception(error)

    def _lost(self) -> None:
        self._link = None
        self._fail(ConfigError(f"worker {self.number} ended while it started; the log above says why"))
        for done in self._reloads.values():
            if not done.done():
                done.set_exception(Unavailable(f"worker {self.number} ended"))
        waiting, self.waiting = self.waiting, {}
        for waits in waiting.values():
            waits.lost(self)
        self._gone(self)
