"""What full-text search sees of an item."""

from typing import NamedTuple

from vitrine.content.tokens import tokens
from vitrine.domain.items import Item

# How much a word counts by where it stands; the same order as the columns of the full-text table.
FIELD_WEIGHTS = {"title": 5.0, "about": 3.0, "description": 1.0}


class Document(NamedTuple):
    """The words of an item: of its title, of its categories and brand, and of its description."""

    title: list[str]
    about: list[str]
    description: list[str]

    @property
    def length(self) -> int:
        """How many words there are."""
        return len(self.title) + len(self.about) + len(self.description)

    @property
    def columns(self) -> tuple[str, str, str]:
        """As the full-text table takes them."""
        return " ".join(self.title), " ".join(self.about), " ".join(self.description)

    def words(self) -> set[str]:
        """The words, once each."""
        return {*self.title, *self.about, *self.description}


def document(item: Item | None) -> Document:
    """The words of an item; of none, no words."""
    if item is None:
        return Document([], [], [])
    return Document(
        tokens(item.title), tokens(f"{' '.join(item.category_path)} {item.brand}"), tokens(item.description)
    )


def same_text(one: Item | None, other: Item | None) -> bool:
    """Whether search cannot tell two states of an item apart."""
    if one is None or other is None:
        return one is other
    return (
        one.title == other.title
        and one.description == other.description
        and one.category_path == other.category_path
        and one.brand == other.brand
    )
