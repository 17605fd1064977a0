"""A retrieval server on a real socket."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from vitrine.api.retrieval.v1 import retrieval_pb2_grpc as pb_grpc
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import load_config
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.retriever import Retriever
from vitrine.retrieval.service import RetrievalServicer
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

NAME = "vitrine.api.retrieval.v1.RetrievalService"
DAY = 86_400.0


class Server:
    """One retrieval service; `start` and `stop` as often as wanted, on one port and one store."""

    def __init__(
        self, directory: Path | None, workers: ThreadPoolExecutor, writers: ThreadPoolExecutor
    ) -> None:
        self.directory = directory
        self.workers = workers
        self.writers = writers
        self.port = 0
        self.now = 1.7e9

    async def start(self) -> str:
        self.catalog = Catalog()
        self.store = CatalogStore.open(self.directory, self.catalog)
        self.popularity = Popularity(self.catalog, 30 * DAY, 2 * DAY)
        retriever = Retriever(self.catalog, self.popularity, None, load_config(), self.store)
        self.servicer = RetrievalServicer(
            lambda _: retriever,
            self.store,
            self.workers,
            writers=self.writers,
            watching=self.workers,
            clock=lambda: self.now,
        )
        self.server = GrpcServer(
            {NAME: lambda server: pb_grpc.add_RetrievalServiceServicer_to_server(self.servicer, server)},
            Metrics(),
        )
        self.port = await self.server.start("127.0.0.1", self.port)
        return f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self.servicer.stop()
        await self.server.stop(1)
        self.store.close()


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def writers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
async def server(
    tmp_path: Path, workers: ThreadPoolExecutor, writers: ThreadPoolExecutor
) -> AsyncIterator[Server]:
    server = Server(tmp_path / "store", workers, writers)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    # Every test its own connection, and quick to come back.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 100)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=options) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "pb_grpc.RetrievalServiceAsyncStub":
    return pb_grpc.RetrievalServiceStub(channel)
