"""Profiles in memory, never ahead of the disk and never behind an acknowledgement."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

import msgspec

from vitrine.domain.profile import Profile
from vitrine.profile.rows import Row


# There are tens of thousands, and no cycles through them.
class Entry(msgspec.Struct, gc=False, eq=False):
    """A subject's profile as committed; only `profile` is set later.

    Attributes:
        state: An encoded profile; ``None`` when there is none.
        rows: The events after it.
        profile: The profile with them, once somebody read it.
        loaded: Whether ``state`` is known yet.
    """

    state: bytes | None = None
    rows: tuple[Row, ...] = ()
    profile: Profile | None = None
    loaded: bool = True


class ProfileCache:
    """The profiles used last, by subject as stored.

    A reader that misses leaves an empty entry, reads the disk, and fills the entry; a commit in between puts another
    entry in its place, so that what the reader found can no longer get in.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, subject: str) -> Entry | None:
        """The entry if it is loaded; it counts as used."""
        with self._lock:
            entry = self._entries.get(subject)
            if entry is None or not entry.loaded:
                return None
            self._entries.move_to_end(subject)
            return entry

    def look(self, subject: str) -> Entry | None:
        """`find` that does not count as used."""
        with self._lock:
            entry = self._entries.get(subject)
            return entry if entry is not None and entry.loaded else None

    def begin(self, subject: str) -> Entry:
        """The entry to fill after reading the disk."""
        with self._lock:
            entry = self._entries.get(subject)
            if entry is None:
                entry = Entry(loaded=False)
                self._insert(subject, entry)
            return entry

    def fill(self, subject: str, entry: Entry, state: bytes | None, rows: tuple[Row, ...]) -> Entry:
        """Gives an entry what the disk had; returns the newest entry."""
        filled = Entry(state, rows)
        with self._lock:
            current = self._entries.get(subject)
            if current is not None and current.loaded:
                return current
            if current is entry:
                self._entries[subject] = filled
            return filled

    def replace(self, subject: str, entry: Entry, by: Entry) -> None:
        """Puts the same in other words in the place of an entry, unless a commit was faster."""
        with self._lock:
            if self._entries.get(subject) is entry:
                self._entries[subject] = by

    def commit(self, rows: Mapping[str, Sequence[Row]], bases: Mapping[str, bytes | None]) -> None:
        """Takes events that were committed.

        Args:
            rows: By subject.
            bases: Encoded profiles before them, of the subjects that were read from disk for this.
        """
        entries = self._entries
        with self._lock:
            for subject, new in rows.items():
                entry = entries.get(subject)
                if entry is not None and entry.loaded:
                    # Does not count as used: who reads it asks for it anyway.
                    entries[subject] = Entry(entry.state, (*entry.rows, *new))
                elif subject in bases:
                    entries.pop(subject, None)
                    self._insert(subject, Entry(bases[subject], tuple(new)))
                elif entry is not None:
                    entries[subject] = Entry(loaded=False)

    def written(self, states: Mapping[str, bytes]) -> None:
        """Profiles that now stand on disk with all of their events: the entries are shorter that way."""
        with self._lock:
            for subject, state in states.items():
                entry = self._entries.get(subject)
                if entry is not None and entry.loaded:
                    self._entries[subject] = Entry(state, (), entry.profile)

    def erase(self, subject: str) -> None:
        """Nothing is known of a subject any more."""
        with self._lock:
            self._entries.pop(subject, None)
            self._insert(subject, Entry())

    def _insert(self, subject: str, entry: Entry) -> None:
        if self._capacity:
            self._entries[subject] = entry
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
