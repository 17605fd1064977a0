"""What searches the texts of a catalogue."""

from typing import Protocol

from vitrine.catalog.text_index import TextIndex


class Searchable(Protocol):
    """A catalogue's store, or a mirror of one."""

    @property
    def text(self) -> TextIndex:
        """Searches it."""
        ...
