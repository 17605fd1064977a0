"""Items of the catalogue."""

import difflib
from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from vitrine.api.common.v1 import common_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2 as pb
from vitrine.catalog.merge import MASKABLE
from vitrine.domain.ids import check_id
from vitrine.domain.items import Availability, Item
from vitrine.errors import InvalidInput
from vitrine.wire.requests import MAX_TEXT_BYTES, check_money, check_text
from vitrine.wire.times import timestamp_from_proto, timestamp_to_proto

MAX_ITEMS = 1000
MAX_DESCRIPTION_BYTES = 16_384
MAX_LEVELS = 8
MAX_ATTRIBUTES = 64


def item_to_proto(item: Item) -> pb.Item:
    """As sent."""
    message = pb.Item(
        item_id=item.item_id,
        title=item.title,
        description=item.description,
        category_path=item.category_path,
        brand=item.brand,
        availability=pb.Availability.ValueType(item.availability),
        attributes=item.attributes,
    )
    if item.price_micros or item.currency:
        message.price.CopyFrom(common_pb2.Money(micros=item.price_micros, currency_code=item.currency))
    if item.created:
        message.created_time.CopyFrom(timestamp_to_proto(item.created))
    return message


def item_from_proto(message: pb.Item, field: str = "item") -> Item:
    """A checked item; availability 0 and created 0 mean that they were not sent.

    Raises:
        InvalidInput: Names the field under ``field``.
    """
    micros, currency = check_money(message.price, f"{field}.price") if message.HasField("price") else (0, "")
    if message.availability and message.availability not in _AVAILABILITIES:
        raise InvalidInput(
            f"{field}.availability", f"{message.availability} is not known; send 1 to {max(Availability)}"
        )
    return Item(
        item_id=check_id(message.item_id, f"{field}.item_id"),
        title=check_text(message.title, f"{field}.title", MAX_TEXT_BYTES),
        description=check_text(message.description, f"{field}.description", MAX_DESCRIPTION_BYTES),
        category_path=_category_path(message.category_path, f"{field}.category_path"),
        brand=check_text(message.brand, f"{field}.brand", MAX_TEXT_BYTES),
        price_micros=micros,
        currency=currency,
        availability=message.availability,
        created=timestamp_from_proto(message.created_time, f"{field}.created_time")
        if message.HasField("created_time")
        else 0.0,
        attributes=_attributes(message, f"{field}.attributes") if message.attributes else {},
    )


def items_from_proto(messages: Sequence[pb.Item], field: str = "items") -> list[Item]:
    """Checked items.

    Raises:
        InvalidInput: There are more than 1,000, or one is not valid; names it.
    """
    if len(messages) > MAX_ITEMS:
        raise InvalidInput(field, f"has {len(messages)} entries; send at most {MAX_ITEMS} a call")
    return [item_from_proto(message, f"{field}[{index}]") for index, message in enumerate(messages)]


def mask_from_proto(message: FieldMask, field: str = "update_mask") -> frozenset[str]:
    """The fields to change.

    Raises:
        InvalidInput: One is not a field of an item that can be changed; names it and the nearest that can.
    """
    for index, path in enumerate(message.paths):
        if path not in MASKABLE:
            near = difflib.get_close_matches(path, MASKABLE, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(MASKABLE)}"
            raise InvalidInput(f"{field}.paths[{index}]", f"'{path}' cannot be changed by itself; {hint}")
    return frozenset(message.paths)


def _category_path(levels: Sequence[str], field: str) -> tuple[str, ...]:
    if len(levels) > MAX_LEVELS:
        raise InvalidInput(field, f"has {len(levels)} levels; send at most {MAX_LEVELS}")
    for index, level in enumerate(levels):
        if not level:
            raise InvalidInput(f"{field}[{index}]", "is empty; leave the level out")
        check_text(level, f"{field}[{index}]", MAX_TEXT_BYTES)
    return tuple(levels)


def _attributes(message: pb.Item, field: str) -> dict[str, str]:
    if len(message.attributes) > MAX_ATTRIBUTES:
        raise InvalidInput(field, f"has {len(message.attributes)} entries; send at most {MAX_ATTRIBUTES}")
    for key, value in message.attributes.items():
        check_text(key, f"{field} (a key)", MAX_TEXT_BYTES)
        check_text(value, f"{field}[{key[:64]}]", MAX_TEXT_BYTES * 4)
    return dict(message.attributes)


_AVAILABILITIES = frozenset(int(a) for a in Availability)
