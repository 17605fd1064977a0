"""What a window is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """What the shopper is looking at.

    Attributes:
        item_ids: The items whose page is shown.
        basket: What lies in the basket.
        query: What was typed into the search box.
        locale: BCP 47 tag for texts, English unless told.
        channel: Where the window is.
    """

    item_ids: tuple[str, ...] = ()
    basket: tuple[str, ...] = ()
    query: str = ""
    locale: str = ""
    channel: str = ""

    @property
    def seeds(self) -> tuple[str, ...]:
        """The items that the window is about: the page's, then the basket's."""
        return self.item_ids + self.basket


@dataclass(frozen=True, slots=True)
class Filters:
    """Which items may be shown; every condition that is set must hold.

    Attributes:
        categories: The category path starts with one of these (levels joined by " > ").
        brands: The brand is one of these.
        min_price_micros: The price is at least this.
        max_price_micros: The price is at most this; 0 means no bound.
        exclude: Never these items.
        created_after: Created at or after, Unix seconds UTC; 0 means no bound.
    """

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    min_price_micros: int = 0
    max_price_micros: int = 0
    exclude: tuple[str, ...] = ()
    created_after: float = 0.0

    def __bool__(self) -> bool:
        return bool(
            self.categories
            or self.brands
            or self.min_price_micros
            or self.max_price_micros
            or self.exclude
            or self.created_after
        )


NO_CONTEXT = Context()
NO_FILTERS = Filters()
