"""Events from the wire: each fault names its field, and the others go on."""

from collections.abc import Callable

import pytest

from vitrine.api.profile.v1 import profile_pb2 as pb
from vitrine.domain.events import Event, EventStatus, EventType, Verdict
from vitrine.domain.subject import Subject
from vitrine.wire.events import event_to_proto, events_from_proto, merge_verdicts

NOW = 1_700_000_000.25


def good() -> pb.Event:
    message = pb.Event(event_id="e", item_id="灯", type=pb.EVENT_TYPE_VIEW)
    message.subject.user_id = "u"
    return message


def set_value(name: str, value: object) -> Callable[[pb.Event], None]:
    return lambda message: setattr(message, name, value)


FAULTS: dict[str, tuple[str, Callable[[pb.Event], None]]] = {
    "no id": ("event_id", set_value("event_id", "")),
    "id of 129 bytes": ("event_id", set_value("event_id", "é" * 64 + "x")),
    "no subject": ("subject", lambda m: m.ClearField("subject")),
    "empty subject": ("subject.user_id", lambda m: setattr(m.subject, "user_id", "")),
    "long visitor": ("subject.anonymous_id", lambda m: setattr(m.subject, "anonymous_id", "x" * 129)),
    "no item": ("item_id", set_value("item_id", "")),
    "long item": ("item_id", set_value("item_id", "x" * 129)),
    "no type": ("type", set_value("type", 0)),
    "unknown type": ("type", set_value("type", 99)),
    "NaN quantity": ("quantity", set_value("quantity", float("nan"))),
    "infinite quantity": ("quantity", set_value("quantity", float("inf"))),
    "negative quantity": ("quantity", set_value("quantity", -1.0)),
    "NaN rating": ("rating", set_value("rating", float("nan"))),
    "negative rating": ("rating", set_value("rating", -0.5)),
    "negative value": ("value.micros", lambda m: setattr(m.value, "micros", -1)),
    "odd currency": ("value.currency_code", lambda m: setattr(m.value, "currency_code", "euro")),
    "long text": ("text", set_value("text", "好" * 1366)),
    "long channel": ("channel", set_value("channel", "x" * 129)),
    "33 attributes": ("attributes", lambda m: m.attributes.update({str(i): "" for i in range(33)})),
    "long attribute": ("attributes", lambda m: m.attributes.update(a="x" * 4097)),
    "time before 1970": ("time", lambda m: setattr(m.time, "seconds", -1)),
    "time after 9999": ("time", lambda m: setattr(m.time, "seconds", 10**12)),
    "nanos out of range": ("time", lambda m: setattr(m.time, "nanos", 10**9)),
    "negative dwell": ("dwell", lambda m: setattr(m.dwell, "seconds", -1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_event_is_rejected_alone(fault: str) -> None:
    field, spoil = FAULTS[fault]
    bad = good()
    spoil(bad)
    events, positions, rejected = events_from_proto([good(), bad, good()], NOW)
    assert (len(events), positions) == (2, [0, 2])
    assert rejected[1].status is EventStatus.REJECTED
    assert rejected[1].field == f"events[1].{field}"
    assert rejected[1].message


def test_a_full_event_survives_the_wire() -> None:
    event = Event(
        event_id="e-1",
        subject=Subject("访客", anonymous=True).key,
        item_id="🪔",
        type=int(EventType.REVIEW),
        time=1_699_999_999.123457,
        value_micros=4_950_000,
        currency="EUR",
        quantity=2.5,
        rating=4.5,
        text="很好",
        dwell=1.25,
        request_id="r",
        scene="home",
        channel="app",
        attributes={"颜色": "红"},
    )
    (back,), _, rejected = events_from_proto([event_to_proto(event)], NOW)
    assert back == event
    assert not rejected


def test_what_is_left_out_has_its_default() -> None:
    (event,), _, _ = events_from_proto([good()], NOW)
    assert (event.time, event.quantity, event.attributes) == (NOW, 1.0, {})
    assert event.rating != event.rating


def test_a_search_needs_no_item() -> None:
    message = good()
    message.type, message.item_id = pb.EVENT_TYPE_SEARCH, ""
    (event,), _, _ = events_from_proto([message], NOW)
    assert event.item_id == ""


def test_verdicts_are_numbered_as_in_the_request() -> None:
    rejected = {0: Verdict(EventStatus.REJECTED, "events[0].type", "bad")}
    judged = [Verdict(EventStatus.ACCEPTED), Verdict(EventStatus.REJECTED, "events[1].time", "old")]
    verdicts = merge_verdicts(3, [1, 2], judged, rejected)
    assert [v.field for v in verdicts] == ["events[0].type", "", "events[2].time"]
