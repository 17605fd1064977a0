"""What shoppers do."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.domain.subject import Subject


class EventType(IntEnum):
    """What a shopper did; the numbers are those of the protocol."""

    IMPRESSION = 1
    VIEW = 2
    CLICK = 3
    ADD_TO_CART = 4
    REMOVE_FROM_CART = 5
    PURCHASE = 6
    SEARCH = 7
    RATING = 8
    REVIEW = 9
    LIKE = 10
    HIDE = 11


# How much interest in an item one event shows; a hide or a removal shows none. Ratios, not probabilities:
# a purchase says about as much as eight views.
INTEREST: dict[EventType, float] = {
    EventType.IMPRESSION: 0.0,
    EventType.VIEW: 1.0,
    EventType.CLICK: 1.0,
    EventType.ADD_TO_CART: 4.0,
    EventType.REMOVE_FROM_CART: -2.0,
    EventType.PURCHASE: 8.0,
    EventType.SEARCH: 0.0,
    EventType.RATING: 2.0,
    EventType.REVIEW: 2.0,
    EventType.LIKE: 4.0,
    EventType.HIDE: 0.0,
}

# The same as a table, indexed by the number of the type.
INTEREST_BY_TYPE: npt.NDArray[np.float64] = np.array([0.0] + [INTEREST[t] for t in EventType])


# Largest quantity and rating: beyond it is a mistake, and sums could overflow.
MAX_AMOUNT = 1e9


class Event(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One thing that a shopper did, checked by whoever made it.

    Attributes:
        event_id: Idempotency key, 1 to 128 bytes.
        subject: Who did it, as `Subject.key`.
        item_id: With which item; empty for a search without one.
        type: An `EventType`.
        time: When, Unix seconds UTC.
        value_micros: Price of one in millionths of ``currency``.
        currency: ISO 4217, empty when there is no value.
        quantity: How many.
        rating: Stars; NaN when there are none.
        text: Query of a search or text of a review.
        dwell: Seconds looked at.
        request_id: The ``Recommend`` call that caused it.
        scene: Scene of that call.
        channel: Where it happened.
        attributes: Anything else.
    """

    event_id: str
    subject: str
    item_id: str
    type: int
    time: float
    value_micros: int = 0
    currency: str = ""
    quantity: float = 1.0
    rating: float = float("nan")
    text: str = ""
    dwell: float = 0.0
    request_id: str = ""
    scene: str = ""
    channel: str = ""
    attributes: dict[str, str] = {}

    @property
    def who(self) -> Subject:
        """The subject."""
        return Subject.from_key(self.subject)


class EventStatus(IntEnum):
    """What became of an event; the numbers are those of the protocol."""

    ACCEPTED = 1
    DUPLICATE = 2
    REJECTED = 3


class Verdict(NamedTuple):
    """What became of one event, and of which field that is the fault."""

    status: EventStatus
    field: str = ""
    message: str = ""


class Activity(NamedTuple):
    """Events on items without their subjects, as parallel columns of one length n, in order of recording.

    Attributes:
        item_ids: n identifiers.
        types: ``int8[n]``, `EventType` numbers.
        times: ``float64[n]``, Unix seconds UTC.
        quantities: ``float64[n]``.
        cursor: Sequence number in the log of the last row; a reader continues after it.
    """

    item_ids: Sequence[str]
    types: npt.NDArray[np.int8]
    times: npt.NDArray[np.float64]
    quantities: npt.NDArray[np.float64]
    cursor: int
