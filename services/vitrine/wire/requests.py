"""What a window is asked for: context and filters."""

import re
from collections.abc import Sequence

from vitrine.api.common.v1 import common_pb2 as pb
from vitrine.domain.ids import check_id
from vitrine.domain.request import NO_CONTEXT, NO_FILTERS, Context, Filters
from vitrine.errors import InvalidInput
from vitrine.wire.times import timestamp_from_proto, timestamp_to_proto

MAX_IDS = 1000
MAX_VALUES = 256
MAX_QUERY_BYTES = 4096
MAX_TEXT_BYTES = 1024
# Above this, a price is a mistake, and arithmetic with it could overflow: a million millions.
MAX_MICROS = 10**18
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_ids(ids: Sequence[str], field: str, limit: int = MAX_IDS) -> tuple[str, ...]:
    """The identifiers.

    Raises:
        InvalidInput: There are more than ``limit``, or one is not valid; names it.
    """
    if len(ids) > limit:
        raise InvalidInput(field, f"has {len(ids)} entries; send at most {limit}")
    return tuple(check_id(value, f"{field}[{index}]") for index, value in enumerate(ids))


def check_text(value: str, field: str, limit: int) -> str:
    """The text.

    Raises:
        InvalidInput: It has more than ``limit`` bytes.
    """
    if len(value) > limit // 4 and (size := len(value.encode())) > limit:
        raise InvalidInput(field, f"has {size} bytes; send at most {limit}")
    return value


def check_money(message: pb.Money, field: str) -> tuple[int, str]:
    """Millionths and the currency.

    Raises:
        InvalidInput: Negative, too large, or the currency is not three capital letters.
    """
    if not 0 <= message.micros <= MAX_MICROS:
        raise InvalidInput(
            f"{field}.micros", f"is {message.micros}; a price is 0 to {MAX_MICROS} millionths of its currency"
        )
    if not _CURRENCY.fullmatch(message.currency_code) and (message.micros or message.currency_code):
        raise InvalidInput(
            f"{field}.currency_code", "is not an ISO 4217 code; send three capital letters, for example EUR"
        )
    return message.micros, message.currency_code


def context_from_proto(message: pb.Context, field: str) -> Context:
    """A checked context.

    Raises:
        InvalidInput: Names the field.
    """
    if not message.ByteSize():
        return NO_CONTEXT
    return Context(
        item_ids=check_ids(message.item_ids, f"{field}.item_ids"),
        basket=check_ids(message.basket_item_ids, f"{field}.basket_item_ids"),
        query=check_text(message.query, f"{field}.query", MAX_QUERY_BYTES),
        locale=check_text(message.locale, f"{field}.locale", 64),
        channel=check_text(message.channel, f"{field}.channel", MAX_TEXT_BYTES),
    )


def context_to_proto(context: Context) -> pb.Context:
    """As sent."""
    return pb.Context(
        item_ids=context.item_ids,
        basket_item_ids=context.basket,
        query=context.query,
        locale=context.locale,
        channel=context.channel,
    )


def filters_from_proto(message: pb.Filters, field: str) -> Filters:
    """Checked filters.

    Raises:
        InvalidInput: Names the field.
    """
    if not message.ByteSize():
        return NO_FILTERS
    low, low_currency = check_money(message.min_price, f"{field}.min_price")
    high, high_currency = check_money(message.max_price, f"{field}.max_price")
    if low_currency and high_currency and low_currency != high_currency:
        raise InvalidInput(
            f"{field}.max_price.currency_code", f"differs from that of min_price, {low_currency}"
        )
    if high and low > high:
        raise InvalidInput(f"{field}.max_price", "is below min_price")
    return Filters(
        categories=_values(message.category_paths, f"{field}.category_paths"),
        brands=_values(message.brands, f"{field}.brands"),
        min_price_micros=low,
        max_price_micros=high,
        exclude=check_ids(message.exclude_item_ids, f"{field}.exclude_item_ids"),
        created_after=timestamp_from_proto(message.created_after, f"{field}.created_after")
        if message.HasField("created_after")
        else 0.0,
    )


def filters_to_proto(filters: Filters, currency: str = "XXX") -> pb.Filters:
    """As sent; the currency of a shop that has one need not be known ("XXX": no currency)."""
    message = pb.Filters(
        category_paths=filters.categories, brands=filters.brands, exclude_item_ids=filters.exclude
    )
    if filters.min_price_micros:
        message.min_price.CopyFrom(pb.Money(micros=filters.min_price_micros, currency_code=currency))
    if filters.max_price_micros:
        message.max_price.CopyFrom(pb.Money(micros=filters.max_price_micros, currency_code=currency))
    if filters.created_after:
        message.created_after.CopyFrom(timestamp_to_proto(filters.created_after))
    return message


def _values(values: Sequence[str], field: str) -> tuple[str, ...]:
    if len(values) > MAX_VALUES:
        raise InvalidInput(field, f"has {len(values)} entries; send at most {MAX_VALUES}")
    for index, value in enumerate(values):
        if not value:
            raise InvalidInput(f"{field}[{index}]", "is empty; leave it out to filter by nothing")
        check_text(value, f"{field}[{index}]", MAX_TEXT_BYTES)
    return tuple(values)
