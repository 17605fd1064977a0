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


def stored_item_from_proto(message: pb.Item) -> Item:
    """An item as its owner has it, without checks: the owner made them when the item came in."""
    created = message.created_time
    return Item(
        item_id=message.item_id,
        title=message.title,
        description=message.description,
        category_path=tuple(message.category_path),
        brand=message.brand,
        price_micros=message.price.micros,
        currency=message.price.currency_code,
        availability=message.availability,
        created=(created.seconds * 1_000_000 + created.nanos // 1000) / 1e6,
        attributes=dict(message.attributes),
    )


def item_from_proto(message: pb.Item, field: str = "item") -> Item:
    """A checked item; availability 0 and created 0 mean that they were not sent.

    Raises:
        InvalidInput: Names the field under ``field``.
    """
    check_id(message.item_id, f"{field}.item_id")
    check_text(message.title, f"{field}.title", MAX_TEXT_BYTES)
    check_text(message.description, f"{field}.description", MAX_DESCRIPTION_BYTES)
    _check_category_path(message.category_path, f"{field}.category_path")
    check_text(message.brand, f"{field}.brand", MAX_TEXT_BYTES)
    if message.HasField("price"):
        check_money(message.price, f"{field}.price")
    if message.availability and message.availability not in _AVAILABILITIES:
        raise InvalidInput(
            f"{field}.availability", f"{message.availability} is not known; send 1 to {max(Availability)}"
        )
    if message.HasField("created_time"):
        timestamp_from_proto(message.created_time, f"{field}.created_time")
    if message.attributes:
        _check_attributes(message, f"{field}.attributes")
    return stored_item_from_proto(message)


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


def _check_category_path(levels: Sequence[str], field: str) -> None:
    if len(levels) > MAX_LEVELS:
        raise InvalidInput(field, f"has {len(levels)} levels; send at most {MAX_LEVELS}")
    for index, level in enumerate(levels):
        if not level:
            raise InvalidInput(f"{field}[{index}]", "is empty; leave the level out")
        check_text(level, f"{field}[{index}]", MAX_TEXT_BYTES)


def _check_attributes(message: pb.Item, field: str) -> None:
    if len(message.attributes) > MAX_ATTRIBUTES:
        raise InvalidInput(field, f"has {len(message.attributes)} entries; send at most {MAX_ATTRIBUTES}")
    for key, value in message.attributes.items():
        check_text(key, f"{field} (a key)", MAX_TEXT_BYTES)
        check_text(value, f"{field}[{key[:64]}]", MAX_TEXT_BYTES * 4)


_AVAILABILITIES = frozenset(int(a) for a in Availability)
