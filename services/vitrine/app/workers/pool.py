"""The workers of an owner: started, watched, started again, asked, told."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

import msgspec

from vitrine.app.workers.calls import DOUBT_SECONDS, Call
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Answer, Ask, Given, Method, Popular, Reload, Reloaded, Start
from vitrine.domain.clock import Clock
from vitrine.errors import ConfigError, VitrineError
from vitrine.hosting.process.keeper import Backoff

log = logging.getLogger(__name__)

# A worker that has said nothing for so long gets nothing new while others talk.
SILENT_SECONDS = 2.5
# How often to look whether workers talk, and after how many looks in vain one is ended. Looks are counted rather than
# seconds: should this process have been stopped for a while, it is not they who were silent.
_LOOK_SECONDS, _LOOKS = 0.5, 20
# After how many when it has stopped reading, too. One that talks is only behind, with many large requests.
_STUCK_LOOKS = 5
# After how many while it starts: a busy machine takes its time until a process says its first word.
_START_LOOKS = 120
_END_SECONDS = 5.0
# How many calls may go to a second worker for a doubt alone: so many at once, and of all calls so large a share. Under
# too much load every worker seems to hang, and calls that are sent twice would double it (Dean and Barroso, "The tail
# at scale", CACM 56(2), 2013, p. 77, hedge about one in twenty).
_RIVALS, _RIVAL_SHARE = 64.0, 0.05

_encode = msgspec.msgpack.Encoder().encode


class Pool:
    """A fixed number of workers. Use it in the event loop.

    Args:
        size: How many.
        start: What to tell worker ``number`` at its start, as things are now.
        popular: Live popularity as of now; called in a thread.
        clock: The owner's.
        revision: That of the owner's catalogue.

    Attributes:
        workers: Those that are there or being started, by number.
        restarts: How often each was started again.
        asked: How many calls each was given.
        loop: The event loop.
    """

    def __init__(
        self,
        size: int,
        start: Callable[[int], Start],
        popular: Callable[[], tuple[int, bytes]],
        clock: Clock,
        revision: Callable[[], int],
    ) -> None:
        numbers = range(1, size + 1)
        self.workers: dict[int, Handle] = {}
        self.restarts = dict.fromkeys(numbers, 0)
        self.asked = dict.fromkeys(numbers, 0)
        self._start = start
        self._popular = popular
        self._clock = clock
        self._revision = revision
        self.loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        # When each was given its latest call. Not how many: one that was away would get all until it has caught up.
        self._latest = dict.fromkeys(numbers, 0)
        self._rivals = _RIVALS
        self._backoff = {number: Backoff() for number in numbers}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        # What a new worker must do before it is asked anything; what is done when one has ended.
        self.before_use: list[Callable[[Handle], Awaitable[None]]] = []
        self.on_end: list[Callable[[Handle], None]] = []
        # What is done when one more or one less is there.
        self.changed: list[Callable[[], Awaitable[None]]] = []

    async def open(self) -> None:
        """Starts all and waits until they are ready.

        Raises:
            BundleError: The bundle is refused.
            ConfigError: They cannot be made.
        """
        handles = [await self._new(number) for number in self.restarts]
        await asyncio.gather(*(handle.begun for handle in handles))
        for handle in handles:
            if not handle.alive:
                raise ConfigError(
                    f"worker {handle.number} ended while others started; is there memory for so many?"
                )
            handle.up = True
        self._do(self._watch())

    def up(self) -> list[Handle]:
        """Those that can be asked."""
        return [worker for worker in self.workers.values() if worker.up]

    async def ask(
        self,
        method: Method,
        request: bytes,
        seconds: float | None,
        given: Given | None = None,
        began: float = 0.0,
    ) -> Answer:
        """What a worker answers.

        Raises:
            Unavailable: None is there, or those that were asked ended.
            Timeout: There was no answer in time.
        """
        ask = Ask(
            next(self._numbers),
            method,
            -1.0 if seconds is None else max(seconds, 0.0),
            self._clock(),
            self._revision(),
            request,
            given,
            began,
        )
        self._rivals = min(_RIVALS, self._rivals + _RIVAL_SHARE)
        call = Call(ask, self._pick, self.loop)
        call.begin()
        try:
            return await call.answer
        finally:
            call.close()

    async def ask_all(self, method: Method, request: bytes, seconds: float) -> list[Answer]:
        """What each worker that is there answers; those that fail or are late are left out."""
        calls = []
        for worker in self.up():
            ask = Ask(next(self._numbers), method, seconds, self._clock(), 0, request)
            call = Call(ask, lambda tried, _, only=worker: None if tried else only, self.loop)  # type: ignore[misc]
            call.begin()
            calls.append(call)
        try:
            answers = await asyncio.gather(*(call.answer for call in calls), return_exceptions=True)
        finally:
            for call in calls:
                call.close()
        return [answer for answer in answers if isinstance(answer, Answer) and not answer.code]

    async def reload(self, worker: Handle, *, expected: str = "", config: bytes = b"") -> Reloaded:
        """Has one worker switch to another bundle or configuration; raises `Unavailable` when it ends."""
        return await worker.reload(Reload(next(self._numbers), expected, config))

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

    def _pick(self, tried: Collection[Handle], doubting: bool) -> Handle | None:
        """The one with the fewest calls in flight, and of those the one that was given none for the longest."""
        there = [worker for worker in self.workers.values() if worker.up and worker not in tried]
        if doubting:
            if self._rivals < 1:
                return None
            since = self.loop.time() - DOUBT_SECONDS
            there = [worker for worker in there if not worker.waiting or worker.heard > since]
        if not there:
            return None
        self._rivals -= doubting
        newest = max(worker.heard for worker in there)
        talking = [worker for worker in there if newest - worker.heard < SILENT_SECONDS]
        picked = min(talking, key=lambda worker: (len(worker.waiting), self._latest[worker.number]))
        self.asked[picked.number] += 1
        self._latest[picked.number] = next(self._numbers)
        return picked

    async def _new(self, number: int) -> Handle:
        handle = Handle(number, self._gone)
        await handle.start()
        # From now on it is told of what is new; what is older is in what it starts from.
        self.workers[number] = handle
        handle.send(self._start(number))
        handle.send(Popular(*await asyncio.to_thread(self._popular)))
        return handle

    def _gone(self, handle: Handle) -> None:
        if not self._closed:
            for tell in self.on_end:
                tell(handle)
            if handle.up:
                handle.up = False
                self._tell_changed()
                self._do(self._again(handle))

    async def _again(self, handle: Handle) -> None:
        """Starts another in its place, until one is there."""
        number = handle.number
        while True:
            how = await asyncio.to_thread(handle.wait, _END_SECONDS)
            seconds = self._backoff[number].seconds()
            log.warning("worker %d ended by %s; restart in %.1f s", number, how, seconds)
            await asyncio.sleep(seconds)
            self.restarts[number] += 1
            try:
                handle = await self._new(number)
                await handle.begun
                for prepare in self.before_use:
                    await prepare(handle)
            except VitrineError as error:
                log.warning("worker %d cannot be started again: %s", number, error)
                handle = self._given_up(number)
                continue
            except Exception:
                # The system has no process or descriptor left, perhaps: that may pass.
                log.exception("worker %d cannot be started again", number)
                handle = self._given_up(number)
                continue
            if handle.alive:
                handle.up = True
                log.info("worker %d is back", number)
                self._tell_changed()
                # Once more: what the others switched to meanwhile has not reached it.
                with suppress(VitrineError):
                    for prepare in self.before_use:
                        await prepare(handle)
                return

    def _given_up(self, number: int) -> Handle:
        """The last that was started in this place, ended."""
        handle = self.workers[number]
        handle.kill()
        return handle

    async def _watch(self) -> None:
        """Ends those that hang."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for worker in self.workers.values():
                if not worker.alive:
                    continue
                worker.silent += 1
                looks = _START_LOOKS if not worker.up else _STUCK_LOOKS if worker.stuck else _LOOKS
                if worker.silent > looks:
                    log.warning("worker %d does not talk any more; ending it", worker.number)
                    worker.kill()

    def _tell_changed(self) -> None:
        for look in self.changed:
            self._do(look())

    def _do(self, work: Any) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
