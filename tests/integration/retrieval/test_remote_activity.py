"""Popularity fed from the profile service of another process."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np

from vitrine.api.profile.v1 import profile_pb2 as pb
from vitrine.api.profile.v1 import profile_pb2_grpc as pb_grpc
from vitrine.catalog import Catalog
from vitrine.domain.events import Activity
from vitrine.domain.items import Item
from vitrine.errors import NotReady
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.remote import RemoteActivity
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer
from vitrine.wire.profiles import activity_to_proto
from vitrine.wire.tokens import CURSOR, decode_token

DAY = 86_400.0


class FakeProfile(pb_grpc.ProfileServiceServicer):
    """A log of purchases; the watch breaks off after each message."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    async def WatchActivity(  # noqa: N802
        self, request: pb.WatchActivityRequest, context: object
    ) -> AsyncIterator[pb.WatchActivityResponse]:
        after = decode_token(CURSOR, request.cursor, "cursor")
        if after > len(self.log):
            raise NotReady("watch again without a cursor")
        ids = self.log[after : after + 2]
        n = len(ids)
        yield activity_to_proto(
            Activity(ids, np.full(n, 6, np.int8), np.full(n, 1.7e9), np.ones(n), after + n)
        )


async def test_it_resumes_and_starts_anew_on_another_log(workers: ThreadPoolExecutor) -> None:
    catalog = Catalog()
    catalog.apply([Item(item_id=f"i{k}") for k in range(3)], 1)
    popularity = Popularity(catalog, 30 * DAY, 2 * DAY)
    profile = FakeProfile(  # type: ignore[abstract]
        ["i0", "i0", "i1", "i0", "i1"]
    )
    name = "vitrine.api.profile.v1.ProfileService"
    server = GrpcServer({name: lambda s: pb_grpc.add_ProfileServiceServicer_to_server(profile, s)}, Metrics())
    port = await server.start("127.0.0.1", 0)

    async def until(cursor: int) -> dict[str, float]:
        for _ in range(1000):
            if popularity.cursor == cursor:
                break
            await asyncio.sleep(0.005)
        assert popularity.cursor == cursor
        rows, shares = popularity.popular(catalog.sellable, 9)
        return {catalog.ids[r]: round(s, 3) for r, s in zip(rows.tolist(), shares.tolist(), strict=True)}

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        remote = RemoteActivity(popularity, channel, workers)
        remote.start()
        assert await until(5) == {"i0": 1.0, "i1": 0.667}
        profile.log.append("i2")
        assert await until(6) == {"i0": 1.0, "i1": 0.667, "i2": 0.333}
        profile.log = ["i2"]
        assert await until(1) == {"i2": 1.0}
        await remote.close()
    await server.stop(0)
