"""What the shop sells."""

import math
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import msgspec

CATEGORY_SEPARATOR = " > "


class Availability(IntEnum):
    """Whether an item can be bought; the numbers are those of the protocol."""

    IN_STOCK = 1
    OUT_OF_STOCK = 2
    PREORDER = 3
    DISCONTINUED = 4

    @property
    def sellable(self) -> bool:
        """Whether the item may be recommended."""
        return self in {Availability.IN_STOCK, Availability.PREORDER}


class Item(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One item of the catalogue.

    Attributes:
        item_id: Opaque UTF-8 identifier, 1 to 128 bytes.
        title: Title.
        description: Description.
        category_path: Categories from the top down.
        brand: Brand; empty when it has none.
        price_micros: Price in millionths of ``currency``; 0 when not known.
        currency: ISO 4217; empty when there is no price.
        availability: An `Availability` number.
        created: When it came into the shop, Unix seconds UTC.
        attributes: Anything else.
    """

    item_id: str
    title: str = ""
    description: str = ""
    category_path: tuple[str, ...] = ()
    brand: str = ""
    price_micros: int = 0
    currency: str = ""
    availability: int = Availability.IN_STOCK
    created: float = 0.0
    attributes: dict[str, str] = {}

    @property
    def category(self) -> str:
        """The whole category path as one string."""
        return CATEGORY_SEPARATOR.join(self.category_path)


class ItemKeys(NamedTuple):
    """What a profile counts beside the item itself.

    Attributes:
        categories: Every level of the category path, from the top down: ``("Home", "Home > Lamps")``.
        brand: Brand; empty when it has none.
        price_band: `price_band` of the price; empty when there is none.
    """

    categories: tuple[str, ...]
    brand: str
    price_band: str


# Every event asks, and a shop has far fewer prices than items.
@lru_cache(maxsize=16_384)
def price_band(price_micros: int) -> str:
    """The half-octave of a price, ``floor(2 × log2(price in major units))``, as a key; empty without a price."""
    return str(math.floor(2 * math.log2(price_micros / 1e6))) if price_micros > 0 else ""


def category_levels(path: tuple[str, ...]) -> tuple[str, ...]:
    """Every prefix of a category path as one string each, from the top down."""
    return tuple(CATEGORY_SEPARATOR.join(path[:depth]) for depth in range(1, len(path) + 1))


def item_keys(item: Item) -> ItemKeys:
    """The keys under which events on an item are counted."""
    return ItemKeys(category_levels(item.category_path), item.brand, price_band(item.price_micros))
