"""What an upsert makes of an item: all of it, or the masked fields."""

from collections.abc import Callable, Sequence

import msgspec

from vitrine.domain.items import Availability, Item
from vitrine.errors import InvalidInput

# Fields of the protocol that a mask may name, and what they are called in the domain.
MASKABLE: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "description": ("description",),
    "category_path": ("category_path",),
    "brand": ("brand",),
    "price": ("price_micros", "currency"),
    "availability": ("availability",),
    "created_time": ("created",),
    "attributes": ("attributes",),
}


def merged(
    items: Sequence[Item], mask: frozenset[str] | None, now: float, current: Callable[[str], Item | None]
) -> dict[str, Item]:
    """The items that an upsert changes, whole, as they are after it.

    Args:
        items: What was sent. An availability of 0 and a created time of 0 were not sent: they stay as they are,
            and are "in stock" and ``now`` for an item that is new.
        mask: The fields to change, keys of `MASKABLE`; ``None`` for all.
        now: Unix seconds UTC.
        current: The item as it is, or ``None``.

    Raises:
        InvalidInput: A mask was given and an item does not exist; names it.
    """
    changed: dict[str, Item] = {}
    names = None if mask is None else [field for path in sorted(mask) for field in MASKABLE[path]]
    for index, sent in enumerate(items):
        item_id = sent.item_id
        old = changed.get(item_id) or current(item_id)
        new = sent
        if names is not None:
            if old is None:
                raise InvalidInput(
                    f"items[{index}].item_id",
                    f"no item '{item_id}' to change; leave update_mask out to add it",
                )
            new = msgspec.structs.replace(old, **{name: getattr(sent, name) for name in names})
        if not new.availability or not new.created:
            new = msgspec.structs.replace(
                new,
                availability=new.availability or (old.availability if old else Availability.IN_STOCK),
                created=new.created or (old.created if old else now),
            )
        if new != old:
            changed[item_id] = new
    return changed
