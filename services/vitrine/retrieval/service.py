"""`RetrievalService` over gRPC: checks and converts, in threads; everything else is in the domain."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import grpc

from vitrine.api.retrieval.v1 import retrieval_pb2 as pb
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc as pb_grpc
from vitrine.catalog.columns import Rows
from vitrine.catalog.store import CatalogStore
from vitrine.domain.clock import Clock, system_clock
from vitrine.errors import NotReady, TooLarge
from vitrine.retrieval.retriever import Retriever
from vitrine.rpc.limits import MAX_ANSWER_BYTES
from vitrine.wire.candidates import retrieved_to_proto
from vitrine.wire.interests import interests_to_bytes
from vitrine.wire.items import MAX_ITEMS, item_to_proto, items_from_proto, mask_from_proto
from vitrine.wire.requests import check_ids
from vitrine.wire.retrieval import retrieval_query_from_proto
from vitrine.wire.stages import stages_to_proto
from vitrine.wire.tokens import REVISION, decode_token, encode_token

# Items in one message of a watch.
CHUNK = 1_000

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
T = TypeVar("T")


class Retrieving:
    """Finds candidates, and nothing else: for a process without the store.

    Args:
        retriever: Answers the retriever to use for a wanted version of the bundle, or one that is served instead.
        workers: Where requests are answered.
        clock: The time of requests that carry none.
    """

    def __init__(
        self, retriever: Callable[[str], Retriever], workers: Executor, clock: Clock = system_clock
    ) -> None:
        self._retriever = retriever
        self._workers = workers
        self._clock = clock

    async def Retrieve(self, request: pb.RetrieveRequest, context: Context) -> pb.RetrieveResponse:
        """Candidates, best first."""
        return await _run(self._workers, self._retrieve, request)

    def _retrieve(self, request: pb.RetrieveRequest) -> pb.RetrieveResponse:
        query = retrieval_query_from_proto(request, self._clock())
        retrieved = self._retriever(query.bundle).retrieve(query)
        response = retrieved_to_proto(retrieved)
        if request.include_stages:
            response.stages.CopyFrom(stages_to_proto(retrieved.stages))
        if request.include_interests and retrieved.interests is not None:
            response.interests = interests_to_bytes(retrieved.interests)
        return response


class RetrievalServicer(Retrieving, pb_grpc.RetrievalServiceServicer):
    """The four calls. The event loop waits for neither the disk nor a computation.

    Args:
        retriever: Answers the retriever to use for a wanted version of the bundle, or one that is served instead.
        store: The catalogue; its owner closes it after the server.
        workers: Where requests are answered.
        writers: Where upserts wait for each other and the disk, so that no answer waits with them; those of several
            threads share a commit.
        watching: Where watches read.
        clock: The time of requests and new items that carry none.
    """

    def __init__(
        self,
        retriever: Callable[[str], Retriever],
        store: CatalogStore,
        workers: Executor,
        *,
        writers: Executor,
        watching: Executor,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(retriever, workers, clock)
        self._store = store
        self._writers = writers
        self._watching = watching
        self._watches: set[asyncio.Event] = set()
        self._stopped = False

    def stop(self) -> None:
        """Ends the watches, which would never end by themselves; call it in their event loop."""
        self._stopped = True
        for event in self._watches:
            event.set()

    async def UpsertItems(self, request: pb.UpsertItemsRequest, context: Context) -> pb.UpsertItemsResponse:
        """Adds items or changes them."""
        return await _run(self._writers, self._upsert, request)

    async def GetItems(self, request: pb.GetItemsRequest, context: Context) -> pb.GetItemsResponse:
        """Items by id."""
        return await _run(self._workers, self._get, request)

    async def WatchItems(
        self, request: pb.WatchItemsRequest, context: Context
    ) -> AsyncIterator[pb.WatchItemsResponse]:
        """The catalogue from a revision on, without end."""
        revision = decode_token(REVISION, request.revision, "revision")
        if revision > self._store.revision:
            raise NotReady("revision lies ahead of this catalogue; watch again without a revision")
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake(_: Rows) -> None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(changed.set)

        unsubscribe = self._store.catalog.subscribe(wake)
        self._watches.add(changed)
        try:
            told = False
            while not self._stopped:
                changed.clear()
                message, reached = await _run(self._watching, self._changes, revision)
                if reached > revision or not told:
                    yield message
                    revision, told = reached, message.caught_up
                if message.caught_up:
                    await changed.wait()
        finally:
            self._watches.discard(changed)
            unsubscribe()

    def _upsert(self, request: pb.UpsertItemsRequest) -> pb.UpsertItemsResponse:
        mask = mask_from_proto(request.update_mask) if request.update_mask.paths else None
        items = items_from_proto(request.items)
        return pb.UpsertItemsResponse(
            revision=encode_token(REVISION, self._store.upsert(items, mask, self._clock()))
        )

    def _get(self, request: pb.GetItemsRequest) -> pb.GetItemsResponse:
        response = pb.GetItemsResponse()
        for item_id in check_ids(request.item_ids, "item_ids", MAX_ITEMS):
            item = self._store.catalog.get(item_id)
            if item is None:
                response.missing_item_ids.append(item_id)
            else:
                response.items.append(item_to_proto(item))
        if (size := response.ByteSize()) > MAX_ANSWER_BYTES:
            raise TooLarge(f"the items have {size:,} bytes together; ask for fewer of them at once")
        return response

    def _changes(self, revision: int) -> tuple[pb.WatchItemsResponse, int]:
        items, reached, caught_up = self._store.changed_since(revision, CHUNK)
        message = pb.WatchItemsResponse(
            items=[item_to_proto(item) for item in items],
            revision=encode_token(REVISION, reached),
            caught_up=caught_up,
        )
        return message, reached


async def _run(threads: Executor, call: Callable[..., T], *args: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, call, *args)
