"""What counting an event takes."""

import msgspec

from vitrine.domain.items import ItemKeys


class Row(msgspec.Struct, frozen=True, gc=False):
    """An event as it is counted.

    Attributes:
        seq: Sequence number in the log.
        type: An `EventType`.
        time: Unix seconds UTC.
        item_id: Empty for a search without one.
        quantity: How many.
        rating: Stars; NaN when there are none.
        keys: Category, brand and price band of the item when the event was recorded.
    """

    seq: int
    type: int
    time: float
    item_id: str
    quantity: float
    rating: float
    keys: ItemKeys | None
