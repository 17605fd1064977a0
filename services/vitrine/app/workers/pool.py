"""The workers of an owner: started, watched, started again, told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from vitrine.app.workers.handle import READY_SECONDS, Handle
from vitrine.app.workers.messages import Start
from vitrine.app.workers.watching import talks, watch
from vitrine.errors import ConfigError, Timeout, VitrineError
from vitrine.hosting.process.keeper import Backoff

log = logging.getLogger(__name__)

_END_SECONDS = 5.0

_encode = msgspec.msgpack.Encoder().encode


class Pool:
    """A fixed number of workers. Use it in the event loop.

    Args:
        size: How many.
        start: What to tell worker ``number`` at its start, as things are now; called in a thread.
        catch_up: Has one that began with a version of the bundle and a configuration switch to what is served by now.

    Attributes:
        workers: Those that are there or being started, by number.
        restarts: How often each was started again.
        loop: The event loop.
    """

    def __init__(
        self,
        size: int,
        start: Callable[[int], Start],
        catch_up: Callable[[Handle, str, bytes], Awaitable[None]],
    ) -> None:
        numbers = range(1, size + 1)
        self.workers: dict[int, Handle] = {}
        self.restarts = dict.fromkeys(numbers, 0)
        self.loop = asyncio.get_running_loop()
        self._start = start
        self._catch_up = catch_up
        self._backoff = {number: Backoff() for number in numbers}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        # What is done when one has ended.
        self.on_end: list[Callable[[Handle], None]] = []

    async def open(self) -> None:
        """Starts all and waits until they are ready.

        Raises:
            BundleError: The bundle is refused.
            ConfigError: They cannot be made, or are not ready in time.
        """
        handles = [(await self._new(number))[0] for number in self.restarts]
        try:
            await asyncio.wait_for(asyncio.gather(*(handle.begun for handle in handles)), READY_SECONDS)
        except TimeoutError:
            late = ", ".join(str(handle.number) for handle in handles if handle.begun.cancelled())
            raise ConfigError(
                f"worker {late} was not ready within {READY_SECONDS:.0f} s; a plugin may hang while it is made: leave out "
                'of the configuration those of your own one by one, or give them `isolation = "process"`; a busy machine may '
                "only be slow: start fewer workers"
            ) from None
        for handle in handles:
            if not handle.alive:
                raise ConfigError(
                    f"worker {handle.number} ended while others started; is there memory for so many?"
                )
            handle.up = True
        self._do(watch(self.workers))

    def up(self) -> list[Handle]:
        """Those that are ready."""
        return [worker for worker in self.workers.values() if worker.up]

    def talking(self) -> list[Handle]:
        """Those of them that talk, and so can be asked."""
        return [worker for worker in self.workers.values() if talks(worker)]

    def tell(self, message: Any) -> None:
        """Tells all something, those that are being started too."""
        data = _encode(message)
        for worker in self.workers.values():
            worker.send_encoded(data)

    async def close(self) -> None:
        """Ends them."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        workers = list(self.workers.values())
        for worker in workers:
            worker.close()
        await asyncio.gather(*(asyncio.to_thread(worker.wait, _END_SECONDS) for worker in workers))

    async def _new(self, number: int) -> tuple[Handle, Start]:
        handle = Handle(number, self._gone)
        await handle.start()
        # From now on it is told of what is new; what is older is in what it starts from.
        self.workers[number] = handle
        start = await asyncio.to_thread(self._start, number)
        handle.send(start)
        return handle, start

    def _gone(self, handle: Handle) -> None:
        if not self._closed:
            for tell in self.on_end:
                tell(handle)
            if handle.up:
                handle.up = False
                self._do(self._again(handle))

    async def _again(self, handle: Handle) -> None:
        """Starts another in its place, until one is there."""
        number = handle.number
        while not handle.up:
            how = await asyncio.to_thread(handle.wait, _END_SECONDS)
            seconds = self._backoff[number].seconds()
            log.warning("worker %d ended by %s; restart in %.1f s", number, how, seconds)
            await asyncio.sleep(seconds)
            self.restarts[number] += 1
            try:
                await self._ready(number)
            except VitrineError as error:
                log.warning("worker %d cannot be started again: %s", number, error)
            except Exception:
                # The system has no process or descriptor left, perhaps: that may pass.
                log.exception("worker %d cannot be started again", number)
            # The last that was started in this place.
            handle = self.workers[number]
            if not handle.up:
                handle.kill()
        log.info("worker %d is back", number)

    async def _ready(self, number: int) -> None:
        """Starts one, and lets it be asked once it serves what the others do: only those that are up are told to switch."""
        handle, start = await self._new(number)
        try:
            version = await asyncio.wait_for(handle.begun, READY_SECONDS)
        except TimeoutError:
            raise Timeout(f"it was not ready within {READY_SECONDS:.0f} s") from None
        await self._catch_up(handle, version, start.config)
        handle.up = handle.alive

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
