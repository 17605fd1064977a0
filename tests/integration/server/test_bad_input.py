"""Bad input over gRPC against a real server: the documented code, the field, what to do, and nothing is lost."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.support.bad_calls import INF, LONG, LONG_CHINESE, NAN, BadCall, bad_calls
from tests.support.world import AS_OF
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine, event, item

NOW = datetime.fromisoformat(AS_OF)
ACCEPTED, DUPLICATE, REJECTED = 1, 2, 3
# What only an exception, a traceback or a path of the server would say.
INTERNALS = re.compile(
    r"Traceback|<class|\.py\b|File \"|[a-z]Error\b|Exception\b|object at|0x[0-9a-f]{4}|(^|\s)/(?!grpc)\w+/|sqlite"
)


def refusal(call: BadCall, shop: Vitrine) -> tuple[Any, list[Any]]:
    """How the call fails, and the fields that its details name."""
    with pytest.raises(grpc.RpcError) as caught:
        call.call(shop)
    failure: Any = caught.value
    status = rpc_status.from_call(failure)
    bad = error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        assert detail.Unpack(bad)
    return failure, list(bad.field_violations)


@pytest.mark.parametrize("call", bad_calls(), ids=lambda call: call.name)
def test_a_bad_call_is_told_what_is_wrong(shop: Vitrine, call: BadCall) -> None:
    failure, violations = refusal(call, shop)
    assert failure.code() is call.code, failure.details()
    assert [v.field for v in violations] == ([call.field] if call.field else [])
    described = violations[0].description if violations else failure.details()
    assert call.says in described
    for text in (failure.details(), described):
        assert not INTERNALS.search(text), text


def _event(**fields: Any) -> profile_pb2.Event:
    made = event("view", "ann", "i1", time=NOW)
    for name, value in fields.items():
        target = getattr(made, name)
        if hasattr(target, "CopyFrom"):
            target.CopyFrom(value)
        else:
            setattr(made, name, value)
    return made


BAD_EVENTS = {
    "before the window": (event("view", "ann", "i1", time=NOW - timedelta(days=8)), "time", "7 days"),
    "in the future": (event("view", "ann", "i1", time=NOW + timedelta(hours=1)), "time", "clock"),
    "before 1970": (event("view", "ann", "i1", time=datetime(1969, 1, 1, tzinfo=UTC)), "time", "1970"),
    "NaN rating": (_event(rating=NAN), "rating", "nan"),
    "infinite rating": (_event(rating=INF), "rating", "inf"),
    "NaN quantity": (_event(quantity=NAN), "quantity", "nan"),
    "infinite quantity": (_event(quantity=INF), "quantity", "inf"),
    "quantity of nobody": (_event(quantity=1e300), "quantity", "0 to 1000000000"),
    "negative quantity": (_event(quantity=-1), "quantity", "-1"),
    "negative value": (event("view", "ann", "i1", price=-1, currency="EUR"), "value.micros", "-1000000"),
    "currency": (event("view", "ann", "i1", price=1, currency="euro"), "value.currency_code", "EUR"),
    "no type": (_event(type=0), "type", "is missing"),
    "unknown type": (_event(type=77), "type", "77"),
    "no item": (_event(item_id=""), "item_id", "is empty"),
    "item of 129 bytes": (_event(item_id=LONG), "item_id", "129 bytes"),
    "item of 129 bytes of Chinese": (_event(item_id=LONG_CHINESE), "item_id", "129 bytes"),
    "no id": (_event(event_id=""), "event_id", "is empty"),
    "id of 129 bytes": (_event(event_id=LONG), "event_id", "129 bytes"),
    "nobody": (_event(subject=common_pb2.Subject()), "subject", "user_id or anonymous_id"),
    "subject of 129 bytes": (event("view", LONG, "i1"), "subject.user_id", "129 bytes"),
    "request id": (_event(request_id=LONG), "request_id", "129 bytes"),
    "text": (_event(text="货" * 1366), "text", "4098 bytes"),
    "attributes": (
        event("view", "ann", "i1", attributes=dict.fromkeys(map(str, range(33)), "")),
        "attributes",
        "32",
    ),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_bad_event_is_rejected_alone(shop: Vitrine, name: str) -> None:
    bad, field, says = BAD_EVENTS[name]
    who = f"beside {name}"
    good = [event("view", who, f"i{n}", time=NOW) for n in range(2)]
    answer = shop.record_events([good[0], bad, good[1]])
    assert [v.status for v in answer.verdicts] == [ACCEPTED, REJECTED, ACCEPTED]
    verdict = answer.verdicts[1]
    assert verdict.field == f"events[1].{field}"
    assert says in verdict.message
    assert not INTERNALS.search(verdict.message)
    assert shop.get_profile(who, min_watermark=answer.watermark).event_count == 2


def test_nothing_is_lost_whatever_was_sent(shop: Vitrine) -> None:
    events = [event("purchase", "witness", f"witness-{n}", quantity=2, time=NOW) for n in range(5)]
    assert [v.status for v in shop.record_events(events).verdicts] == [ACCEPTED] * 5
    shop.upsert_items([item("witness-0", "Kettle of a witness", price=9.5, currency="EUR")])
    before = shop.recommend("witness", "home", 20, timeout=10)
    for call in bad_calls():
        with pytest.raises(grpc.RpcError):
            call.call(shop)
    shop.record_events([bad for bad, _, _ in BAD_EVENTS.values()])

    assert [v.status for v in shop.record_events(events).verdicts] == [DUPLICATE] * 5
    profile = shop.get_profile("witness")
    assert (profile.event_count, list(profile.items.quantity)) == (5, [2.0] * 5)
    assert shop.get_profile("ann").event_count == 0
    assert [i.title for i in shop.get_items(["witness-0", "never-stored"])] == ["Kettle of a witness"]
    after = shop.recommend("witness", "home", 20, timeout=10)
    assert [i.item_id for i in after.items] == [i.item_id for i in before.items]
    assert not after.degraded


def test_the_longest_identifiers_are_taken(shop: Vitrine) -> None:
    for who, thing in (("u" * 128, "i" * 128), ("人" * 42 + "ab", "货" * 42 + "ab")):
        made = event("purchase", who, thing, event_id=thing, time=NOW)
        assert [v.status for v in shop.record_events([made]).verdicts] == [ACCEPTED]
        shop.upsert_items([item(thing, "Longest")])
        assert shop.get_profile(who).items.item_ids == [thing]
        window = shop.recommend(who, "buy_again", 5, timeout=10)
        assert thing in [i.item_id for i in window.items]


@pytest.mark.parametrize(
    "query", ["🫖☕️👩‍👩‍👧", "   ", "\x00\x01", "%' OR * NEAR(\" --", "?" * 4096, "\u202e\ufeff"]
)
def test_strange_queries_are_only_queries(shop: Vitrine, query: str) -> None:
    window = shop.recommend(None, "search", 10, query=query, timeout=10)
    assert window.items or "source:search" in [d.component for d in window.degraded]
    assert not INTERNALS.search(str(window.degraded))


def test_a_long_query_is_not_repeated_beside_every_item(shop: Vitrine) -> None:
    shop.upsert_items([item("teapot", "Teapot " * 140)])
    window = shop.recommend(None, "search", 10, query="teapot " * 580, timeout=10)
    assert window.items
    assert all(len(i.reason.text) < 150 for i in window.items)


def test_a_watermark_that_is_ahead_degrades_a_window(shop: Vitrine) -> None:
    window = shop.recommend("ann", "home", 5, min_watermark="w-ffffffff", timeout=2)
    assert len(window.items) == 5
    (stale,) = [d for d in window.degraded if d.component == "profile"]
    assert stale.code == common_pb2.DEGRADATION_CODE_STALE
    assert "watermark" in stale.message


def test_an_empty_catalogue_says_what_to_do(tmp_path: Path) -> None:
    with ServerProcess(store=tmp_path / "store") as running, Vitrine(running.address) as shop:
        assert shop.record_events([event("view", "ann", "i1")]).verdicts[0].status == ACCEPTED
        for scene in ("home", "item_page", "cart", "search", "new_arrivals", "buy_again"):
            window = shop.recommend("ann", scene, query="tea", timeout=10)
            assert not window.items
            (empty,) = [d for d in window.degraded if d.component == "catalog"]
            assert empty.code == common_pb2.DEGRADATION_CODE_EMPTY
            assert "UpsertItems" in empty.message
            assert "vitrine load" in empty.message
        shop.upsert_items([item("i1", "Teapot")])
        assert [i.item_id for i in shop.recommend("ann", "search", query="teapot", timeout=10).items] == [
            "i1"
        ]
