"""Calls that break the contract, each with the status and the field that it must be answered with."""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from vitrine.api.common.v1.common_pb2 import Context, Filters, Money, Subject
from vitrine.api.profile.v1 import profile_pb2 as p
from vitrine.api.ranking.v1 import ranking_pb2 as k
from vitrine.api.recommendation.v1.recommendation_pb2 import ExplainRequest, RecommendRequest
from vitrine.api.retrieval.v1 import retrieval_pb2 as r
from vitrine.client import Vitrine, event

LONG = "x" * 129
# 43 characters, 129 bytes.
LONG_CHINESE = "货" * 43
MANY = [f"i{n}" for n in range(10_000)]
ANN = Subject(user_id="ann")
NAN, INF = float("nan"), float("inf")

INVALID = grpc.StatusCode.INVALID_ARGUMENT
TOO_LARGE = grpc.StatusCode.RESOURCE_EXHAUSTED
AHEAD = grpc.StatusCode.FAILED_PRECONDITION
UNKNOWN_METHOD = grpc.StatusCode.UNIMPLEMENTED


class BadCall(NamedTuple):
    """One of them.

    Attributes:
        name: For people.
        call: Makes it; raises `grpc.RpcError`.
        code: Its status.
        field: The field that `google.rpc.BadRequest` names; "" for none.
        says: A part of the description, or of the message where no field is at fault.
    """

    name: str
    call: Callable[[Vitrine], Any]
    code: grpc.StatusCode
    field: str
    says: str


def _send(request: Any) -> Callable[[Vitrine], Any]:
    """Sends a request to the method that takes it; a stream is read once."""

    def call(shop: Vitrine) -> Any:
        name = type(request).__name__.removesuffix("Request")
        # Explain is a method of two services: vitrine.api.SERVICE.v1 tells whose the request is.
        stub = getattr(shop, request.DESCRIPTOR.file.package.split(".")[2])
        answer = getattr(stub, name)(request, timeout=0.5 if "watermark" in str(request) else 5)
        return next(answer) if name.startswith("Watch") else answer

    return call


def _raw(method: str, data: bytes, *, stream: bool = False) -> Callable[[Vitrine], Any]:
    """Sends bytes instead of a message."""

    def call(shop: Vitrine) -> Any:
        channel: Any = shop._channel
        if stream:
            return next(channel.stream_stream(method)(iter([data]), timeout=5))
        return channel.unary_unary(method)(data, timeout=5)

    return call


def _rank(
    query: k.RankQuery | None = None, offsets: tuple[int, ...] = (), **candidates: Any
) -> k.RankRequest:
    return k.RankRequest(
        queries=[query or k.RankQuery(scene="home")],
        candidates=r.Candidates(**{"item_ids": ["a", "b"], **candidates}),
        offsets=offsets,
    )


def _explain(**candidates: Any) -> k.ExplainRequest:
    return k.ExplainRequest(
        query=k.RankQuery(scene="home"), item_id="a", candidates=r.Candidates(**candidates)
    )


def _items(**fields: Any) -> r.UpsertItemsRequest:
    return r.UpsertItemsRequest(
        items=[r.Item(item_id="never-stored"), r.Item(**{"item_id": "bad", **fields})]
    )


def _identifiers() -> list[tuple[str, str, Any]]:
    """Name, field and request (by identifier) of everything that takes an identifier."""
    home: dict[str, Any] = {"scene": "home"}
    return [
        ("Recommend user", "subject.user_id", lambda i: RecommendRequest(subject=Subject(user_id=i), **home)),
        (
            "Recommend visitor",
            "subject.anonymous_id",
            lambda i: RecommendRequest(subject=Subject(anonymous_id=i), **home),
        ),
        (
            "Recommend seed",
            "context.item_ids[1]",
            lambda i: RecommendRequest(context=Context(item_ids=["a", i]), **home),
        ),
        (
            "Recommend basket",
            "context.basket_item_ids[0]",
            lambda i: RecommendRequest(context=Context(basket_item_ids=[i]), **home),
        ),
        (
            "Recommend exclude",
            "filters.exclude_item_ids[0]",
            lambda i: RecommendRequest(filters=Filters(exclude_item_ids=[i]), **home),
        ),
        ("GetProfile", "subject.user_id", lambda i: p.GetProfileRequest(subject=Subject(user_id=i))),
        (
            "BatchGetProfiles",
            "subjects[1].user_id",
            lambda i: p.BatchGetProfilesRequest(subjects=[ANN, Subject(user_id=i)]),
        ),
        ("DeleteProfile", "subject.user_id", lambda i: p.DeleteProfileRequest(subject=Subject(user_id=i))),
        ("GetItems", "item_ids[1]", lambda i: r.GetItemsRequest(item_ids=["a", i])),
        ("UpsertItems", "items[1].item_id", lambda i: _items(item_id=i)),
        (
            "Retrieve seed",
            "context.item_ids[0]",
            lambda i: r.RetrieveRequest(context=Context(item_ids=[i]), **home),
        ),
        (
            "Retrieve profile",
            "profile.subject.user_id",
            lambda i: r.RetrieveRequest(profile=p.Profile(subject=Subject(user_id=i)), **home),
        ),
        ("Rank candidate", "candidates.item_ids[1]", lambda i: _rank(item_ids=["a", i])),
        (
            "Rank basket",
            "queries[0].context.basket_item_ids[0]",
            lambda i: _rank(k.RankQuery(context=Context(basket_item_ids=[i]), **home)),
        ),
        ("Explain item", "item_id", lambda i: ExplainRequest(item_id=i, **home)),
        (
            "Explain user",
            "subject.user_id",
            lambda i: ExplainRequest(item_id="a", subject=Subject(user_id=i)),
        ),
        ("Explain candidate", "candidates.item_ids[1]", lambda i: _explain(item_ids=["a", i])),
        (
            "Retrieve included",
            "include_item_ids[0]",
            lambda i: r.RetrieveRequest(include_item_ids=[i], **home),
        ),
    ]


def _counts() -> list[tuple[str, Any, str, str]]:
    """Too few, too many, or lengths that do not fit together."""
    five = struct.pack("<5f", *range(5))
    one_source: dict[str, Any] = {"source_names": ["s"], "source_masks": [1, 1]}
    history = p.Profile(items=p.ItemHistory(item_ids=["a"]))
    return [
        ("BatchGetProfiles 10,000", p.BatchGetProfilesRequest(subjects=[ANN] * 10_000), "subjects", "1000"),
        ("GetItems 10,000", r.GetItemsRequest(item_ids=MANY), "item_ids", "1000"),
        (
            "Recommend seed 10,000",
            RecommendRequest(scene="home", context=Context(item_ids=MANY)),
            "context.item_ids",
            "1000",
        ),
        (
            "Recommend exclude 10,000",
            RecommendRequest(scene="home", filters=Filters(exclude_item_ids=MANY)),
            "filters.exclude_item_ids",
            "1000",
        ),
        (
            "RecordEvents 10,000",
            p.RecordEventsRequest(events=[event("view", "ann", "a")] * 10_000),
            "events",
            "1000",
        ),
        ("UpsertItems 10,000", r.UpsertItemsRequest(items=[r.Item(item_id="a")] * 10_000), "items", "1000"),
        ("Rank no query", k.RankRequest(), "queries", "1 to 256"),
        (
            "Rank 257 queries",
            k.RankRequest(queries=[k.RankQuery(scene="home")] * 257),
            "queries",
            "1 to 256",
        ),
        ("Rank 50,001", _rank(item_ids=["a"] * 50_001), "candidates.item_ids", "50000"),
        ("Explain 5,002", _explain(item_ids=["a"] * 5_002), "candidates.item_ids", "5001"),
        (
            "Retrieve 21 included",
            r.RetrieveRequest(scene="home", include_item_ids=["a"] * 21),
            "include_item_ids",
            "20",
        ),
        ("Rank offsets too few", _rank(offsets=(0,)), "offsets", "one more than queries"),
        ("Rank offsets end wrong", _rank(offsets=(0, 3)), "offsets", "end at 2"),
        ("Rank offsets start wrong", _rank(offsets=(1, 2)), "offsets", "start at 0"),
        ("Rank masks", _rank(source_masks=[1]), "candidates.source_masks", "one each"),
        (
            "Rank scores",
            _rank(**one_source, source_scores=five),
            "candidates.source_scores",
            "2 items × 1 sources × 4 bytes",
        ),
        (
            "Rank scores by half a number",
            _rank(**one_source, source_scores=five[:7]),
            "candidates.source_scores",
            "has 7 bytes",
        ),
        (
            "Rank infinite scores",
            _rank(**one_source, source_scores=struct.pack("<2f", 1, INF)),
            "candidates.source_scores",
            "infinite",
        ),
        (
            "Rank history columns",
            _rank(k.RankQuery(scene="home", profile=history)),
            "queries[0].profile.items.last_time_micros",
            "parallel",
        ),
        (
            "Rank interests by half a number",
            _rank(k.RankQuery(scene="home", interests=bytes(10))),
            "queries[0].interests",
            "has 10 bytes",
        ),
        (
            "Rank infinite interests",
            _rank(k.RankQuery(scene="home", interests=struct.pack("<3f", 1, 1, INF))),
            "queries[0].interests",
            "infinite",
        ),
    ]


def _values() -> list[tuple[str, Any, str, str]]:
    """Values out of range, and names that nobody knows."""
    counters = p.Counters(keys=["view"], counts=[NAN], long_term=[0], short_term=[0], last_time_micros=[0])
    return [
        ("Recommend unknown scene", RecommendRequest(scene="hom"), "scene", "item_page"),
        ("Recommend no scene", RecommendRequest(), "scene", "unknown scene ''"),
        ("Recommend scene of 100 kB", RecommendRequest(scene="货" * 33_000), "scene", "configured: home"),
        ("Rank unknown scene", _rank(k.RankQuery(scene="hom")), "queries[0].scene", "configured: home"),
        ("Explain unknown scene", ExplainRequest(item_id="a", scene="hom"), "scene", "item_page"),
        ("Explain limit 201", ExplainRequest(item_id="a", scene="home", limit=201), "limit", "1 to 200"),
        (
            "Explain a candidate in an unknown scene",
            k.ExplainRequest(item_id="a", candidates=r.Candidates(item_ids=["a"])),
            "query.scene",
            "configured: home",
        ),
        (
            "Explain a candidate, limit -1",
            k.ExplainRequest(item_id="a", query=k.RankQuery(limit=-1)),
            "query.limit",
            "1 to 1000",
        ),
        ("Retrieve unknown scene", r.RetrieveRequest(scene="hom"), "scene", "known: home"),
        (
            "Retrieve unknown source",
            r.RetrieveRequest(sources=[r.SourceRequest(name="popluar", limit=1)]),
            "sources[0].name",
            "did you mean 'popular'?",
        ),
        ("Recommend limit -1", RecommendRequest(scene="home", limit=-1), "limit", "1 to 200"),
        ("Recommend limit 201", RecommendRequest(scene="home", limit=201), "limit", "1 to 200"),
        ("Retrieve limit -1", r.RetrieveRequest(scene="home", limit=-1), "limit", "1 to 5000"),
        ("Retrieve limit 5,001", r.RetrieveRequest(scene="home", limit=5001), "limit", "1 to 5000"),
        ("Rank limit -1", _rank(k.RankQuery(scene="home", limit=-1)), "queries[0].limit", "1 to 1000"),
        (
            "Recommend query of 4,097 bytes",
            RecommendRequest(scene="search", context=Context(query="q" * 4097)),
            "context.query",
            "at most 4096",
        ),
        (
            "Recommend request id of 129 bytes",
            RecommendRequest(scene="home", request_id=LONG),
            "request_id",
            "at most 128",
        ),
        (
            "Recommend negative price filter",
            RecommendRequest(scene="home", filters=Filters(min_price=Money(micros=-1, currency_code="EUR"))),
            "filters.min_price.micros",
            "is -1",
        ),
        ("GetProfile nobody", p.GetProfileRequest(), "subject", "set user_id or anonymous_id"),
        (
            "Rank NaN in a profile",
            _rank(k.RankQuery(scene="home", profile=p.Profile(event_types=counters))),
            "queries[0].profile.event_types.counts",
            "NaN",
        ),
        (
            "UpsertItems negative price",
            _items(price=Money(micros=-1, currency_code="EUR")),
            "items[1].price.micros",
            "is -1",
        ),
        (
            "UpsertItems currency",
            _items(price=Money(micros=1, currency_code="euro")),
            "items[1].price.currency_code",
            "EUR",
        ),
        ("UpsertItems title", _items(title="货" * 342), "items[1].title", "has 1026 bytes"),
        ("UpsertItems levels", _items(category_path=["a"] * 9), "items[1].category_path", "at most 8"),
        (
            "UpsertItems created",
            _items(created_time=Timestamp(seconds=-1)),
            "items[1].created_time",
            "1970",
        ),
        (
            "UpsertItems unknown mask",
            r.UpsertItemsRequest(items=[r.Item(item_id="a")], update_mask=FieldMask(paths=["prize"])),
            "update_mask.paths[0]",
            "did you mean 'price'?",
        ),
        (
            "UpsertItems mask on an unknown item",
            r.UpsertItemsRequest(items=[r.Item(item_id="nosuch")], update_mask=FieldMask(paths=["price"])),
            "items[0].item_id",
            "leave update_mask out",
        ),
    ]


def _tokens() -> list[tuple[str, Any, str, str]]:
    """Tokens of another kind or made up."""
    requests: list[tuple[str, Callable[[str], Any]]] = [
        ("min_watermark", lambda t: RecommendRequest(scene="home", subject=ANN, min_watermark=t)),
        ("min_watermark", lambda t: p.GetProfileRequest(subject=ANN, min_watermark=t)),
        ("min_catalog_revision", lambda t: p.RecordEventsRequest(min_catalog_revision=t)),
        ("cursor", lambda t: p.WatchActivityRequest(cursor=t)),
        ("revision", lambda t: r.WatchItemsRequest(revision=t)),
    ]
    kinds = {"min_watermark": "w", "cursor": "c"}
    rows = []
    for field, make in requests:
        kind = kinds.get(field, "r")
        for token in ("x-1", "12", f"{kind}--1", f"{kind}-0x1f", f"{kind}- 1", f"{kind}-{'f' * 17}"):
            request = make(token)
            rows.append(
                (f"{type(request).__name__} {token}", request, field, "not a token that this service")
            )
    return rows


def _whole_messages() -> list[BadCall]:
    """Too large, too far ahead, no message at all, or for nobody."""
    garbage = b"\xff\xff\xff\xff garbage"
    five_mb = "x" * 5_000_000
    api = "/vitrine.api"
    rows = [
        BadCall(
            f"{type(m).__name__} 5 MB", _send(m), TOO_LARGE, "", "at most 4,194,304 are accepted: send less"
        )
        for m in (
            p.RecordEventsRequest(events=[p.Event(text=five_mb)]),
            _items(description=five_mb),
            RecommendRequest(scene="search", context=Context(query=five_mb)),
        )
    ]
    rows += [
        # The transport refuses this one itself, before it is read.
        BadCall("20 MB", _send(RecommendRequest(scene="x" * 20_000_000)), TOO_LARGE, "", "larger than max"),
        BadCall(
            "GetProfile ahead",
            _send(p.GetProfileRequest(subject=ANN, min_watermark="w-ffffffff")),
            AHEAD,
            "",
            "pass a watermark that this service gave out",
        ),
        BadCall(
            "WatchItems ahead",
            _send(r.WatchItemsRequest(revision="r-ffffffff")),
            AHEAD,
            "",
            "watch again without a revision",
        ),
        BadCall(
            "WatchActivity ahead",
            _send(p.WatchActivityRequest(cursor="c-ffffffff")),
            AHEAD,
            "",
            "watch again without a cursor",
        ),
        BadCall(
            "method of nobody",
            _raw(f"{api}.recommendation.v1.RecommendationService/Guess", b""),
            UNKNOWN_METHOD,
            "",
            "Method not found",
        ),
        BadCall(
            "service of nobody", _raw(f"{api}.nobody.v1.S/M", b""), UNKNOWN_METHOD, "", "Method not found"
        ),
    ]
    says = "not a valid protobuf message"
    for method in (
        f"{api}.recommendation.v1.RecommendationService/Recommend",
        f"{api}.profile.v1.ProfileService/RecordEvents",
        f"{api}.retrieval.v1.RetrievalService/UpsertItems",
        f"{api}.ranking.v1.RankingService/Rank",
        "/grpc.health.v1.Health/Check",
    ):
        rows.append(BadCall(f"garbage to {method}", _raw(method, garbage), INVALID, "message", says))
    for method in (
        f"{api}.profile.v1.ProfileService/WatchActivity",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ):
        call = _raw(method, garbage, stream=True)
        rows.append(BadCall(f"garbage to {method}", call, INVALID, "message", says))
    # A scene (field 2) that is not UTF-8.
    not_text = _raw(f"{api}.recommendation.v1.RecommendationService/Recommend", b"\x12\x02\xff\xfe")
    rows.append(BadCall("text that is not UTF-8", not_text, INVALID, "message", says))
    return rows


def bad_calls() -> list[BadCall]:
    """All of them."""
    rows = [
        BadCall(f"{name} {size}", _send(make(value)), INVALID, field, says)
        for name, field, make in _identifiers()
        for size, value, says in (
            ("129 bytes", LONG, "has 129 bytes"),
            ("129 bytes of Chinese", LONG_CHINESE, "has 129 bytes"),
            ("empty", "", "is empty"),
        )
    ]
    rows += [
        BadCall(name, _send(request), INVALID, field, says)
        for name, request, field, says in (*_counts(), *_values(), *_tokens())
    ]
    return rows + _whole_messages()
