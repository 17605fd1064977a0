"""Events between protobuf and the domain. A bad event is a verdict of its own; the others go on."""

from collections.abc import Iterable, Sequence
from math import isnan, nan

from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.events import MAX_AMOUNT, Event, EventStatus, EventType, Verdict
from vitrine.domain.ids import MAX_ID_BYTES, check_id
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.wire.requests import MAX_MICROS, check_text
from vitrine.wire.times import timestamp_from_proto, timestamp_to_proto

MAX_TEXT_BYTES = 4_096
MAX_ATTRIBUTES = 32
# Longer than anybody looks at an item, a year: a mistake.
MAX_DWELL_SECONDS = 366 * 86_400
_LAST_TYPE = max(EventType)
_SEARCH = int(EventType.SEARCH)
# Characters, of at most four bytes each, that fit into any field.
_SHORT = MAX_ID_BYTES // 4
_PLAIN = {
    status: profile_pb2.EventVerdict(status=int(status))  # type: ignore[arg-type]
    for status in EventStatus
}


def subject_from_proto(message: common_pb2.Subject, field: str) -> Subject:
    """The subject.

    Raises:
        InvalidInput: None is set, or its identifier is not valid; ``field`` is named.
    """
    kind = message.WhichOneof("id")
    if kind is None:
        raise InvalidInput(field, "is missing; set user_id or anonymous_id")
    value = message.user_id if kind == "user_id" else message.anonymous_id
    return Subject(check_id(value, f"{field}.{kind}"), kind == "anonymous_id")


def subject_to_proto(subject: Subject) -> common_pb2.Subject:
    """The subject as a message."""
    if subject.anonymous:
        return common_pb2.Subject(anonymous_id=subject.id)
    return common_pb2.Subject(user_id=subject.id)


def event_from_proto(message: profile_pb2.Event, now: float, field: str) -> Event:
    """A valid event.

    Args:
        message: The message.
        now: Time of the event when the message has none, Unix seconds.
        field: Path of the message in the request, for example ``events[3]``.

    Raises:
        InvalidInput: Something about it is wrong; names the field.
    """
    event_type = message.type
    if not 0 < event_type <= _LAST_TYPE:
        what = f"has the unknown value {event_type}" if event_type else "is missing"
        raise InvalidInput(f"{field}.type", f"{what}; set one of the types of EventType")
    # Most are short enough for anything: no path is put together for these, nor bytes counted.
    item_id = message.item_id
    if not 0 < len(item_id) <= _SHORT and (item_id or event_type != _SEARCH):
        check_id(item_id, f"{field}.item_id")
    event_id = message.event_id
    if not 0 < len(event_id) <= _SHORT:
        check_id(event_id, f"{field}.event_id")
    text, request_id, scene, channel = message.text, message.request_id, message.scene, message.channel
    if len(text) > _SHORT:
        check_text(text, f"{field}.text", MAX_TEXT_BYTES)
    if len(request_id) > _SHORT:
        check_text(request_id, f"{field}.request_id", MAX_ID_BYTES)
    if len(scene) > _SHORT:
        check_text(scene, f"{field}.scene", MAX_ID_BYTES)
    if len(channel) > _SHORT:
        check_text(channel, f"{field}.channel", MAX_ID_BYTES)
    has = message.HasField
    value = message.value if has("value") else None
    return Event(
        event_id=event_id,
        subject=_subject_key(message.subject, field),
        item_id=item_id,
        type=event_type,
        time=timestamp_from_proto(message.time, f"{field}.time") if has("time") else now,
        value_micros=0 if value is None else _value(value, field),
        currency="" if value is None else value.currency_code,
        quantity=_amount(message.quantity, f"{field}.quantity") if has("quantity") else 1.0,
        rating=_amount(message.rating, f"{field}.rating") if has("rating") else nan,
        text=text,
        dwell=_dwell(message, field) if has("dwell") else 0.0,
        request_id=request_id,
        scene=scene,
        channel=channel,
        attributes=_attributes(message, field) if message.attributes else {},
    )


def events_from_proto(
    messages: Iterable[profile_pb2.Event], now: float
) -> tuple[list[Event], list[int], dict[int, Verdict]]:
    """The valid events, their positions in the request, and a verdict for each of the others by position."""
    events: list[Event] = []
    positions: list[int] = []
    rejected: dict[int, Verdict] = {}
    for position, message in enumerate(messages):
        try:
            events.append(event_from_proto(message, now, f"events[{position}]"))
            positions.append(position)
        except InvalidInput as error:
            fault = error.violations[0]
            rejected[position] = Verdict(EventStatus.REJECTED, fault.field, fault.description)
    return events, positions, rejected


def event_to_proto(event: Event) -> profile_pb2.Event:
    """The event as a message."""
    message = profile_pb2.Event(
        event_id=event.event_id,
        subject=subject_to_proto(event.who),
        item_id=event.item_id,
        type=event.type,  # type: ignore[arg-type]
        time=timestamp_to_proto(event.time),
        quantity=event.quantity,
        text=event.text,
        request_id=event.request_id,
        scene=event.scene,
        channel=event.channel,
        attributes=event.attributes,
    )
    if event.value_micros or event.currency:
        message.value.micros = event.value_micros
        message.value.currency_code = event.currency
    if not isnan(event.rating):
        message.rating = event.rating
    if event.dwell:
        seconds, micros = divmod(round(event.dwell * 1e6), 1_000_000)
        message.dwell.seconds = seconds
        message.dwell.nanos = micros * 1_000
    return message


def merge_verdicts(
    total: int, positions: Sequence[int], judged: Sequence[Verdict], rejected: dict[int, Verdict]
) -> list[Verdict]:
    """One verdict for each of ``total`` events: of those judged, renumbered, and of those rejected before."""
    if not rejected:
        return list(judged)
    verdicts = dict(rejected)
    for position, verdict in zip(positions, judged, strict=True):
        if verdict.field:
            path = verdict.field.partition("]")[2]
            verdicts[position] = verdict._replace(field=f"events[{position}]{path}")
        else:
            verdicts[position] = verdict
    return [verdicts[position] for position in range(total)]


def verdicts_to_proto(verdicts: Iterable[Verdict]) -> list[profile_pb2.EventVerdict]:
    """The verdicts as messages; equal ones may be one object."""
    return [
        _PLAIN[status]
        if not (field or message)
        else profile_pb2.EventVerdict(status=int(status), field=field, message=message)  # type: ignore[arg-type]
        for status, field, message in verdicts
    ]


def verdict_from_proto(message: profile_pb2.EventVerdict) -> Verdict:
    """A verdict as received; one of an unknown status counts as rejected."""
    try:
        status = EventStatus(message.status)
    except ValueError:
        status = EventStatus.REJECTED
    return Verdict(status, message.field, message.message)


def _subject_key(message: common_pb2.Subject, field: str) -> str:
    """`Subject.key`."""
    user = message.user_id
    if 0 < len(user) <= _SHORT:
        return "u:" + user
    return subject_from_proto(message, f"{field}.subject").key


def _value(message: common_pb2.Money, field: str) -> int:
    if not 0 <= message.micros <= MAX_MICROS:
        raise InvalidInput(
            f"{field}.value.micros", f"is {message.micros}; a value is 0 to {MAX_MICROS} millionths"
        )
    # Unlike a price in the catalogue, a value may lack its currency: many logs do.
    code = message.currency_code
    if code and not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise InvalidInput(f"{field}.value.currency_code", "is not an ISO 4217 code such as EUR")
    return message.micros


def _amount(value: float, field: str) -> float:
    if not 0.0 <= value <= MAX_AMOUNT:  # neither is NaN
        raise InvalidInput(field, f"is {value:g}; send a number from 0 to {MAX_AMOUNT:.0f}")
    return value


def _dwell(message: profile_pb2.Event, field: str) -> float:
    dwell = message.dwell
    seconds = dwell.seconds + dwell.nanos / 1e9
    if not 0.0 <= seconds <= MAX_DWELL_SECONDS:
        raise InvalidInput(f"{field}.dwell", f"is {seconds:g} s; send a duration of zero seconds to a year")
    return seconds


def _attributes(message: profile_pb2.Event, field: str) -> dict[str, str]:
    attributes = dict(message.attributes)
    if len(attributes) > MAX_ATTRIBUTES:
        raise InvalidInput(
            f"{field}.attributes", f"has {len(attributes)} entries; at most {MAX_ATTRIBUTES} are stored"
        )
    for key, value in attributes.items():
        check_text(key, f"{field}.attributes", MAX_TEXT_BYTES)
        check_text(value, f"{field}.attributes", MAX_TEXT_BYTES)
    return attributes
