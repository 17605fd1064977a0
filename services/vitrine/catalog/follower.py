"""A catalogue in another process, kept up to date by watching the one that owns the items."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

import grpc
import msgspec

from vitrine.api.retrieval.v1 import retrieval_pb2 as pb
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc as pb_grpc
from vitrine.catalog.catalog import Catalog
from vitrine.domain.items import Availability
from vitrine.errors import VitrineError
from vitrine.wire.items import stored_item_from_proto
from vitrine.wire.tokens import REVISION, decode_token, encode_token

_log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

Message = TypeVar("Message")


async def keep_reading(
    what: str,
    open_stream: Callable[[], AsyncIterator[Message]],
    handle: Callable[[Message], Awaitable[None]],
    on_end: Callable[[grpc.StatusCode | None], None],
) -> None:
    """Reads a stream that never ends, and opens it again, after growing pauses, whenever it does or anything fails.

    Only being cancelled ends it: a reader that died would leave its data frozen while the server looks well.

    Args:
        what: Its name in the log.
        open_stream: Starts the call from where the reader is.
        handle: Takes in one message.
        on_end: Told why the stream ended, before the pause; ``None`` when no status says it.
    """
    pause = _FIRST_PAUSE
    while True:
        code: grpc.StatusCode | None = None
        try:
            async for message in open_stream():
                await handle(message)
                pause = _FIRST_PAUSE
        except grpc.aio.AioRpcError as error:
            code = error.code()
            _log.warning("%s broke off (%s); trying again", what, code.name)
        except VitrineError as error:
            _log.warning("%s sent a message that is not valid (%s); trying again", what, error)
        except Exception:  # noqa: BLE001 (whatever it is, reading goes on)
            _log.exception("%s failed; trying again", what)
        on_end(code)
        # Spread, so that many followers do not come back at once.
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        pause = min(2 * pause, _LONGEST_PAUSE)


class CatalogFollower:
    """Fills a `Catalog` from `WatchItems`, and goes on from its revision after any interruption.

    Use it in the event loop of the channel. Should the owner come back with a catalogue that is behind this one
    (a new or restored store), all items are read anew, and those that it lacks are discontinued here.

    Attributes:
        caught_up: Whether the connection stands and nothing newer was there when the owner last wrote.
    """

    def __init__(self, catalog: Catalog, channel: grpc.aio.Channel, workers: Executor) -> None:
        self.caught_up = False
        self._catalog = catalog
        self._stub: pb_grpc.RetrievalServiceAsyncStub = pb_grpc.RetrievalServiceStub(channel)
        self._workers = workers
        self._missing: set[str] | None = None
        self._event = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to follow."""
        self._task = asyncio.create_task(
            keep_reading("the watch on the catalogue", self._open, self._handle, self._ended)
        )

    async def wait(self, timeout: float) -> bool:
        """Waits for `caught_up`, for at most ``timeout`` seconds; answers whether that is so."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), timeout)
        return self.caught_up

    async def close(self) -> None:
        """Stops following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _open(self) -> AsyncIterator[pb.WatchItemsResponse]:
        anew = self._missing is not None
        revision = "" if anew else encode_token(REVISION, self._catalog.revision)
        return aiter(self._stub.WatchItems(pb.WatchItemsRequest(revision=revision), wait_for_ready=True))

    async def _handle(self, message: pb.WatchItemsResponse) -> None:
        await asyncio.get_running_loop().run_in_executor(self._workers, self._apply, message)
        self.caught_up = message.caught_up
        if message.caught_up:
            self._event.set()

    def _apply(self, message: pb.WatchItemsResponse) -> None:
        items = [stored_item_from_proto(m) for m in message.items]
        revision = decode_token(REVISION, message.revision, "revision")
        if self._missing is not None:
            self._missing.difference_update(i.item_id for i in items)
            if message.caught_up:
                gone = [item for i in sorted(self._missing) if (item := self._catalog.get(i)) is not None]
                items += [msgspec.structs.replace(g, availability=Availability.DISCONTINUED) for g in gone]
        self._catalog.apply(items, revision)
        if message.caught_up:
            # Not before: should that fail, all is still to be read anew.
            self._missing = None

    def _ended(self, code: grpc.StatusCode | None) -> None:
        self.caught_up = False
        self._event.clear()
        if code == grpc.StatusCode.FAILED_PRECONDITION:
            _log.warning("the owner's catalogue is behind this one; reading all of it anew")
            self._missing = set(self._catalog.ids)
