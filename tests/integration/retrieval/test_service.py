"""`RetrievalService` over a real connection."""

import asyncio
import threading
import time
from typing import Any, TypeAlias

import grpc
import numpy as np
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest
from grpc_status import rpc_status

from tests.integration.retrieval.conftest import Server
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2 as pb
from vitrine.api.retrieval.v1 import retrieval_pb2_grpc as pb_grpc
from vitrine.catalog.records import Records
from vitrine.domain.events import Activity

Stub: TypeAlias = "pb_grpc.RetrievalServiceAsyncStub"
MUG = pb.Item(
    item_id="mug",
    title="Blue mug 咖啡杯",
    description="holds coffee",
    category_path=["Kitchen", "Mugs"],
    brand="Acme",
    price=common_pb2.Money(micros=4_950_000, currency_code="EUR"),
    availability=pb.AVAILABILITY_PREORDER,
    created_time=Timestamp(seconds=1_600_000_000, nanos=250_000_000),
    attributes={"colour": "blue"},
)


async def upsert(stub: Stub, *items: pb.Item, mask: list[str] | None = None) -> str:
    request = pb.UpsertItemsRequest(items=items)
    if mask is not None:
        request.update_mask.CopyFrom(FieldMask(paths=mask))
    return (await stub.UpsertItems(request)).revision


async def fields_at_fault(call: Any) -> dict[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT, caught.value
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    return {v.field: v.description for v in detail.field_violations}


async def test_items_go_in_and_come_out_as_they_were(stub: Stub) -> None:
    await upsert(stub, MUG, pb.Item(item_id="bare"))
    answer = await stub.GetItems(pb.GetItemsRequest(item_ids=["none", "bare", "mug"]))
    assert list(answer.missing_item_ids) == ["none"]
    bare, mug = answer.items
    assert mug == MUG
    assert bare.availability == pb.AVAILABILITY_IN_STOCK
    assert bare.created_time.seconds == 1_700_000_000
    await upsert(
        stub, pb.Item(item_id="mug", price=common_pb2.Money(micros=1, currency_code="GBP")), mask=["price"]
    )
    (mug,) = (await stub.GetItems(pb.GetItemsRequest(item_ids=["mug"]))).items
    assert mug.price.micros == 1
    assert mug.title == MUG.title


async def test_retrieve(stub: Stub, server: Server) -> None:
    revision = await upsert(stub, MUG, *(pb.Item(item_id=f"i{k}", title=f"tea {k}") for k in range(5)))
    server.popularity.feed(
        Activity(["mug", "i3"], np.array([6, 2], np.int8), np.full(2, 1.7e9), np.ones(2), 1)
    )
    answer = await stub.Retrieve(pb.RetrieveRequest(scene="home"))
    ids = list(answer.candidates.item_ids)
    assert ids[0] == "mug"
    n, s = len(answer.candidates.item_ids), len(answer.candidates.source_names)
    scores = np.frombuffer(answer.candidates.source_scores, "<f4").reshape(n, s)
    popular = scores[:, list(answer.candidates.source_names).index("popular")]
    assert {i: p for i, p in zip(ids, popular.tolist(), strict=True) if p > 0} == {"mug": 1.0, "i3": 0.125}
    assert len(answer.candidates.source_masks) == n
    assert answer.catalog_revision == revision
    assert {d.component for d in answer.degraded} == {
        "source:co_visitation",
        "source:content",
        "source:interest",
    }
    answer = await stub.Retrieve(
        pb.RetrieveRequest(scene="search", context=common_pb2.Context(query="咖啡"), limit=1)
    )
    assert list(answer.candidates.item_ids) == ["mug"]
    answer = await stub.Retrieve(
        pb.RetrieveRequest(sources=[pb.SourceRequest(name="popular", limit=1)], profile=profile_pb2.Profile())
    )
    assert list(answer.candidates.item_ids) == ["mug"]


async def test_out_of_stock_is_absent_once_acknowledged(stub: Stub) -> None:
    await upsert(stub, *(pb.Item(item_id=f"i{k}") for k in range(20)))
    for k in range(20):
        await upsert(
            stub, pb.Item(item_id=f"i{k}", availability=pb.AVAILABILITY_OUT_OF_STOCK), mask=["availability"]
        )
        answer = await stub.Retrieve(pb.RetrieveRequest(scene="home"))
        assert sorted(answer.candidates.item_ids) == sorted(f"i{j}" for j in range(k + 1, 20))


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (pb.Item(), "items[0].item_id"),
        (pb.Item(item_id="é" * 65), "items[0].item_id"),
        (pb.Item(item_id="x", title="t" * 1025), "items[0].title"),
        (pb.Item(item_id="x", description="t" * 16_385), "items[0].description"),
        (pb.Item(item_id="x", category_path=["a"] * 9), "items[0].category_path"),
        (pb.Item(item_id="x", category_path=["a", ""]), "items[0].category_path[1]"),
        (
            pb.Item(item_id="x", price=common_pb2.Money(micros=-1, currency_code="EUR")),
            "items[0].price.micros",
        ),
        (
            pb.Item(item_id="x", price=common_pb2.Money(micros=2**62, currency_code="EUR")),
            "items[0].price.micros",
        ),
        (pb.Item(item_id="x", price=common_pb2.Money(micros=1)), "items[0].price.currency_code"),
        (
            pb.Item(item_id="x", price=common_pb2.Money(micros=1, currency_code="euro")),
            "items[0].price.currency_code",
        ),
        (pb.Item(item_id="x", availability=17), "items[0].availability"),  # type: ignore[arg-type]
        (pb.Item(item_id="x", created_time=Timestamp(seconds=-5)), "items[0].created_time"),
        (pb.Item(item_id="x", attributes={str(k): "" for k in range(65)}), "items[0].attributes"),
    ],
)
async def test_an_item_that_is_not_valid_is_named_and_none_goes_in(
    stub: Stub, item: pb.Item, field: str
) -> None:
    assert field in await fields_at_fault(stub.UpsertItems(pb.UpsertItemsRequest(items=[item, MUG])))
    assert not (await stub.GetItems(pb.GetItemsRequest(item_ids=["mug"]))).items


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        (pb.RetrieveRequest(scene="x"), "scene", "unknown scene 'x'; known: home"),
        (pb.RetrieveRequest(scene="home", limit=-1), "limit", "-1"),
        (pb.RetrieveRequest(scene="home", limit=5001), "limit", "5000"),
        (
            pb.RetrieveRequest(sources=[pb.SourceRequest(name="popularity", limit=1)]),
            "sources[0].name",
            "popular",
        ),
        (pb.RetrieveRequest(sources=[pb.SourceRequest(name="popular")]), "sources[0].limit", "1 to 5000"),
        (
            pb.RetrieveRequest(scene="home", context=common_pb2.Context(item_ids=["a", ""])),
            "context.item_ids[1]",
            "",
        ),
        (
            pb.RetrieveRequest(scene="home", filters=common_pb2.Filters(exclude_item_ids=["a"] * 10_000)),
            "filters.exclude_item_ids",
            "10000",
        ),
        (
            pb.RetrieveRequest(
                scene="home",
                filters=common_pb2.Filters(min_price=common_pb2.Money(micros=-1, currency_code="EUR")),
            ),
            "filters.min_price.micros",
            "",
        ),
        (
            pb.RetrieveRequest(scene="home", context=common_pb2.Context(query="q" * 5000)),
            "context.query",
            "5000",
        ),
        (pb.RetrieveRequest(scene="home", request_time=Timestamp(seconds=-9)), "request_time", ""),
    ],
)
async def test_a_request_that_is_not_valid_is_named(
    stub: Stub, request_: pb.RetrieveRequest, field: str, words: str
) -> None:
    await upsert(stub, MUG)
    faults = await fields_at_fault(stub.Retrieve(request_))
    assert words in faults[field]


async def test_other_limits_are_named(stub: Stub) -> None:
    many = [pb.Item(item_id=f"i{k}") for k in range(1001)]
    assert "items" in await fields_at_fault(stub.UpsertItems(pb.UpsertItemsRequest(items=many)))
    ids = [f"i{k}" for k in range(1001)]
    assert "item_ids" in await fields_at_fault(stub.GetItems(pb.GetItemsRequest(item_ids=ids)))
    assert "revision" in await fields_at_fault(
        aiter_first(stub.WatchItems(pb.WatchItemsRequest(revision="zz")))
    )
    mask = FieldMask(paths=["title", "prise"])
    faults = await fields_at_fault(stub.UpsertItems(pb.UpsertItemsRequest(items=[MUG], update_mask=mask)))
    assert "did you mean 'price'" in faults["update_mask.paths[1]"]
    mask = FieldMask(paths=["title"])
    faults = await fields_at_fault(stub.UpsertItems(pb.UpsertItemsRequest(items=[MUG], update_mask=mask)))
    assert "'mug'" in faults["items[0].item_id"]


async def aiter_first(stream: Any) -> Any:
    async for message in stream:
        return message
    return None


async def test_queries_of_anything_are_answered(stub: Stub) -> None:
    await upsert(stub, MUG)
    for query in ("👍", '"', "mug AND (", "*", "\u200b", "a" * 4000, "NEAR/2", "\0"):
        answer = await stub.Retrieve(
            pb.RetrieveRequest(scene="search", context=common_pb2.Context(query=query))
        )
        if not answer.candidates.item_ids:
            assert [d.component for d in answer.degraded] == ["source:search"]


async def test_watch_gives_the_whole_catalogue_then_changes_at_once(stub: Stub) -> None:
    for start in range(0, 2500, 500):
        await upsert(stub, *(pb.Item(item_id=f"i{k}") for k in range(start, start + 500)))
    stream = stub.WatchItems(pb.WatchItemsRequest())
    seen: list[str] = []
    async for message in stream:
        seen += [i.item_id for i in message.items]
        if message.caught_up:
            break
        assert len(message.items) == 1000
    assert seen == [f"i{k}" for k in range(2500)]
    for k in range(5):
        sent = time.monotonic()
        revision = await upsert(stub, pb.Item(item_id="i7", title=f"new {k}"))
        message = await aiter_first(stream)
        assert time.monotonic() - sent < 0.5
        assert ([i.title for i in message.items], message.revision, message.caught_up) == (
            [f"new {k}"],
            revision,
            True,
        )
    again = await aiter_first(stub.WatchItems(pb.WatchItemsRequest(revision=revision)))
    assert (len(again.items), again.revision, again.caught_up) == (0, revision, True)
    with pytest.raises(grpc.aio.AioRpcError, match="without a revision"):
        await aiter_first(stub.WatchItems(pb.WatchItemsRequest(revision="r-ffff")))
    stream.cancel()


async def test_nobody_waits_for_a_slow_disk_but_who_upserts(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upsert(stub, MUG)
    write, begun, disk = Records.write, threading.Event(), threading.Event()
    commits: list[int] = []

    def slow(self: Records, items: Any, *rest: Any) -> None:
        commits.append(len(items))
        begun.set()
        assert disk.wait(20)
        write(self, items, *rest)

    monkeypatch.setattr(Records, "write", slow)
    # More of them than there are threads of any kind.
    upserts = [asyncio.create_task(upsert(stub, pb.Item(item_id=f"i{k}"))) for k in range(12)]
    try:
        assert await asyncio.to_thread(begun.wait, 20)
        await asyncio.sleep(0.1)
        for _ in range(5):
            answer = await stub.Retrieve(pb.RetrieveRequest(scene="home"), timeout=1)
            assert list(answer.candidates.item_ids) == ["mug"]
        assert (await stub.GetItems(pb.GetItemsRequest(item_ids=["mug"]), timeout=1)).items == [MUG]
        seen = await aiter_first(stub.WatchItems(pb.WatchItemsRequest(), timeout=1))
        assert [i.item_id for i in seen.items] == ["mug"]
        assert not any(u.done() for u in upserts)
    finally:
        disk.set()
        revisions = await asyncio.gather(*upserts)
    assert all(revisions)
    # Those that waited shared commits.
    assert sum(commits) == 12
    assert max(commits) > 1


async def test_too_large_an_answer_says_so(stub: Stub) -> None:
    for k in range(3):
        await upsert(stub, *(pb.Item(item_id=f"i{k}-{j}", description="x" * 16_000) for j in range(100)))
    with pytest.raises(grpc.aio.AioRpcError, match="ask for fewer") as caught:
        await stub.GetItems(pb.GetItemsRequest(item_ids=[f"i{k}-{j}" for k in range(3) for j in range(100)]))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
