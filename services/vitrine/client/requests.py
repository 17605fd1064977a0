"""Makes requests of plain Python values; shared by the synchronous and the aio client."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.errors import InvalidInput


class Anonymous(NamedTuple):
    """A visitor known only by a cookie or a device."""

    id: str


Who: TypeAlias = str | Anonymous


def subject(who: Who) -> common_pb2.Subject:
    """A subject: a string is a customer, `Anonymous` a visitor."""
    if isinstance(who, Anonymous):
        return common_pb2.Subject(anonymous_id=who.id)
    return common_pb2.Subject(user_id=who)


def money(amount: float, currency: str) -> common_pb2.Money:
    """An amount in major units, for example ``money(4.95, "EUR")``."""
    return common_pb2.Money(micros=round(amount * 1_000_000), currency_code=currency)


def event(
    kind: str,
    who: Who,
    item_id: str = "",
    *,
    event_id: str | None = None,
    time: datetime | None = None,
    price: float | None = None,
    currency: str = "",
    quantity: float | None = None,
    rating: float | None = None,
    text: str = "",
    request_id: str = "",
    scene: str = "",
    channel: str = "",
    attributes: Mapping[str, str] | None = None,
) -> profile_pb2.Event:
    """Something a shopper did.

    Args:
        kind: "impression", "view", "click", "add_to_cart", "remove_from_cart", "purchase", "search", "rating",
            "review", "like" or "hide".
        who: The shopper.
        item_id: With which item.
        event_id: Makes the event unique; made up here when it is not given, so that a retry counts once.
        time: When, with its time zone; the server's time when not given.
        price: Price of one, in major units of ``currency``.
        currency: ISO 4217.
        quantity: How many.
        rating: Stars.
        text: Query of a search, text of a review.
        request_id: ``request_id`` of the window that caused it.
        scene: Scene of that window.
        channel: Where it happened.
        attributes: Anything else.

    Raises:
        InvalidInput: The kind is not known.
    """
    try:
        number = profile_pb2.EventType.Value(f"EVENT_TYPE_{kind.upper()}")
    except ValueError:
        known = ", ".join(n.removeprefix("EVENT_TYPE_").lower() for n in profile_pb2.EventType.keys()[1:])
        raise InvalidInput("kind", f"unknown kind of event '{kind}'; known: {known}") from None
    message = profile_pb2.Event(
        event_id=event_id or uuid.uuid4().hex,
        subject=subject(who),
        item_id=item_id,
        type=number,
        text=text,
        request_id=request_id,
        scene=scene,
        channel=channel,
        attributes=attributes or {},
    )
    if time is not None:
        message.time.FromDatetime(time)
    if price is not None:
        message.value.CopyFrom(money(price, currency))
    if quantity is not None:
        message.quantity = quantity
    if rating is not None:
        message.rating = rating
    return message


def item(
    item_id: str,
    title: str = "",
    *,
    description: str = "",
    category_path: Sequence[str] = (),
    brand: str = "",
    price: float | None = None,
    currency: str = "",
    in_stock: bool = True,
    created: datetime | None = None,
    attributes: Mapping[str, str] | None = None,
) -> retrieval_pb2.Item:
    """An item of the catalogue; ``price`` is in major units of ``currency``."""
    message = retrieval_pb2.Item(
        item_id=item_id,
        title=title,
        description=description,
        category_path=category_path,
        brand=brand,
        availability=retrieval_pb2.AVAILABILITY_IN_STOCK
        if in_stock
        else retrieval_pb2.AVAILABILITY_OUT_OF_STOCK,
        attributes=attributes or {},
    )
    if price is not None:
        message.price.CopyFrom(money(price, currency))
    if created is not None:
        message.created_time.FromDatetime(created)
    return message


def recommend(
    who: Who | None,
    scene: str,
    limit: int,
    *,
    item_ids: Iterable[str],
    basket: Iterable[str],
    query: str,
    locale: str,
    filters: common_pb2.Filters | None,
    min_watermark: str,
    include_scores: bool,
    include_trace: bool,
    include_stages: bool,
) -> recommendation_pb2.RecommendRequest:
    """The request for a window."""
    return recommendation_pb2.RecommendRequest(
        subject=subject(who) if who is not None else None,
        scene=scene,
        limit=limit,
        context=common_pb2.Context(item_ids=item_ids, basket_item_ids=basket, query=query, locale=locale),
        filters=filters,
        min_watermark=min_watermark,
        include_scores=include_scores,
        include_trace=include_trace,
        include_stages=include_stages,
    )


def explain(
    who: Who | None,
    item_id: str,
    scene: str,
    limit: int,
    *,
    item_ids: Iterable[str],
    basket: Iterable[str],
    query: str,
    locale: str,
    filters: common_pb2.Filters | None,
    min_watermark: str,
) -> recommendation_pb2.ExplainRequest:
    """The question why an item has its place in a window."""
    return recommendation_pb2.ExplainRequest(
        subject=subject(who) if who is not None else None,
        scene=scene,
        item_id=item_id,
        context=common_pb2.Context(item_ids=item_ids, basket_item_ids=basket, query=query, locale=locale),
        filters=filters,
        limit=limit,
        min_watermark=min_watermark,
    )
