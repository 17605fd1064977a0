"""How a profile forgets, as the numbers that every update needs."""

from typing import NamedTuple, Self

from vitrine.config import ProfileConfig


class Rules(NamedTuple):
    """Half-lives and caps of a profile.

    Attributes:
        long_half_life: In seconds.
        short_half_life: In seconds.
        max_items: Items remembered.
        max_recent: Latest events kept in order.
        max_keys: Categories, brands and price bands remembered, each.
    """

    long_half_life: float
    short_half_life: float
    max_items: int
    max_recent: int
    max_keys: int

    @classmethod
    def of(cls, config: ProfileConfig) -> Self:
        """The rules that a configuration sets."""
        return cls(
            config.long_half_life,
            config.short_half_life,
            config.max_items,
            config.max_recent,
            config.max_keys,
        )
