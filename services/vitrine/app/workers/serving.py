"""What a worker does, in its event loop: it is made as the owner says, and answers what the owner hands on."""

import asyncio
import gc
import logging
import socket
from collections.abc import Coroutine
from typing import Any

from vitrine.app.plugin_watch import PluginWatch
from vitrine.app.watch import Watch
from vitrine.app.workers.answering import Answering
from vitrine.app.workers.beats import Beats
from vitrine.app.workers.link import Link
from vitrine.app.workers.making import Following, Made
from vitrine.app.workers.messages import (
    Activity,
    Ask,
    Changed,
    Failed,
    Forget,
    Ready,
    Reload,
    Start,
    ToWorker,
)
from vitrine.app.workers.reloading import reloaded
from vitrine.errors import BundleError, VitrineError
from vitrine.hosting.workers import Workers
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)


class Worker:
    """One worker.

    Attributes:
        ended: Done when the owner is gone, or wants no more.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._metrics = Metrics()
        self._following = Following(Workers(1))
        # Reloads take turns, and what they allocate comes from one place and goes back there.
        self._reloads = Workers(1)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._made: Made | None = None
        self._answering: Answering | None = None

    async def connect(self, sock: socket.socket) -> None:
        """Listens to the owner."""
        self._link = await Link.over(sock, ToWorker, self._take, self._lost)
        # While it is made, too: one that hangs then says nothing.
        self._beats = Beats(self._link, self._metrics)
        self._beats.start()

    def _lost(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _take(self, message: ToWorker) -> None:
        match message:
            case Ask():
                number = message.number
                task = self._tasks[number] = asyncio.create_task(self._answer(message))
                # Not in the task: one that is forgotten before it begins does nothing at all.
                task.add_done_callback(lambda _: self._tasks.pop(number, None))
            case Forget():
                if (forgotten := self._tasks.get(message.number)) is not None:
                    forgotten.cancel()
            case Activity():
                self._following.activity(message)
            case Changed():
                self._following.changed(message.revision)
            case Reload():
                self._do(self._reload(message))
            case Start():
                self._do(self._begin(message))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _answer(self, ask: Ask) -> None:
        assert self._answering is not None  # noqa: S101 - nothing is asked of who is not ready
        self._link.send(await self._answering.answer(ask))

    async def _reload(self, wanted: Reload) -> None:
        assert self._made is not None  # noqa: S101 - nothing is asked of who is not ready
        loop, reloader = asyncio.get_running_loop(), self._made.reloader
        self._link.send(await loop.run_in_executor(self._reloads, reloaded, reloader, wanted))

    async def _begin(self, start: Start) -> None:
        """Makes everything, and says so, or why not."""
        try:
            ready = await self._make(start)
        except VitrineError as error:
            self._link.send(Failed(isinstance(error, BundleError), str(error)))
            return
        except Exception:
            log.exception("worker %d cannot be made", start.number)
            self._link.send(Failed(False, "it cannot be made; the log above says why"))
            return
        self._link.send(ready)

    async def _make(self, start: Start) -> Ready:
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._reloads, Made.of, start, self._metrics)
        generations = made.reloader.generations
        self._answering = Answering(made, Workers(start.threads), self._metrics)
        self._made = made
        self._following.made(made)
        Watch([], self._reloads, tidy=made.reloader.expire).start()
        await PluginWatch(lambda: generations.engine("").plugins(), self._beats, self._metrics).start()
        # As in `vitrine.app.serve`: what was made lives long, and the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        return Ready(generations.current.version)
