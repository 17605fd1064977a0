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
    item_id = message.item_id
    if item_id or event_type != _SEARCH:
        check_id(item_id, f"{field}.item_id")
    return Event(
        event_id=check_id(message.event_id, f"{field}.event_id"),
        subject=subject_from_proto(message.subject, f"{field}.subject").key,
        item_id=item_id,
        type=event_type,
        time=timestamp_from_proto(message.time, f"{field}.time") if message.HasField("time") else now,
        value_micros=_value(message.value, f"{field}.value"),
        currency=message.value.currency_code,
        quantity=_amount(message.quantity, f"{field}.quantity") if message.HasField("quantity") else 1.0,
        rating=_amount(message.rating, f"{field}.rating") if message.HasField("rating") else nan,
        text=check_text(message.text, f"{field}.text", MAX_TEXT_BYTES),
        dwell=_dwell(message, field) if message.HasField("dwell") else 0.0,
        request_id=check_text(message.request_id, f"{field}.request_id", MAX_ID_BYTES),
        scene=check_text(message.scene, f"{field}.scene", MAX_ID_BYTES),
        channel=check_text(message.channel, f"{field}.channel", MAX_ID_BYTES),
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
    """The verdicts as messages."""
    return [
        profile_pb2.EventVerdict(status=int(status), field=field, message=message)  # type: ignore[arg-type]
        for status, field, message in verdicts
    ]


def verdict_from_proto(message: profile_pb2.EventVerdict) -> Verdict:
    """A verdict as received; one of an unknown status counts as rejected."""
    try:
        status = EventStatus(message.status)
    except ValueError:
        status = EventStatus.REJECTED
    return Verdict(status, message.field, message.message)


def _value(message: common_pb2.Money, field: str) -> int:
    if not 0 <= message.micros <= MAX_MICROS:
        raise InvalidInput(f"{field}.micros", f"is {message.micros}; a value is 0 to {MAX_MICROS} millionths")
    # Unlike a price in the catalogue, a value may lack its currency: many logs do.
    code = message.currency_code
    if code and not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise InvalidInput(f"{field}.currency_code", "is not an ISO 4217 code such as EUR")
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
