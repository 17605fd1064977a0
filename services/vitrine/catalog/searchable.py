"""What a process that finds candidates has of a catalogue beside its rows."""

from typing import Protocol

from vitrine.catalog.text_index import TextIndex


class Searchable(Protocol):
    """A catalogue's store, or a mirror of one."""

    @property
    def text(self) -> TextIndex:
        """Searches it."""
        ...

    def keep(self, name: str, data: bytes, /) -> None:
        """Keeps something large for the next start, where this process may; raises `Unavailable` where it cannot."""
        ...

    def kept(self, name: str, /) -> memoryview | None:
        """What was kept under a name."""
        ...
