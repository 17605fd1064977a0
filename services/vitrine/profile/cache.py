"""Profiles in memory, never ahead of the disk and never behind an acknowledgement."""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from vitrine.domain.profile import Profile
from vitrine.profile.state import ProfileState


class Entry:
    """A subject's profile as committed.

    Attributes:
        loaded: Whether ``state`` is known yet.
        state: The encoded profile; ``None`` when there is none.
        profile: The same decoded, once somebody read it.
    """

    __slots__ = ("loaded", "profile", "state")

    def __init__(self, state: bytes | None = None, *, loaded: bool = True) -> None:
        self.loaded = loaded
        self.state = state
        self.profile: Profile | None = None


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

    def begin(self, subject: str) -> Entry:
        """The entry to fill after reading the disk."""
        with self._lock:
            entry = self._entries.get(subject)
            if entry is None:
                entry = Entry(loaded=False)
                self._insert(subject, entry)
            return entry

    def fill(self, subject: str, entry: Entry, state: bytes | None) -> Entry:
        """Gives an entry what the disk had; returns the newest entry."""
        with self._lock:
            current = self._entries.get(subject)
            if current is not None and current.loaded:
                return current
            if current is entry:
                entry.state = state
                entry.loaded = True
                return entry
            return Entry(state)

    def put(self, states: Iterable[tuple[str, bytes | None]]) -> None:
        """Takes what was committed."""
        with self._lock:
            for subject, state in states:
                self._entries.pop(subject, None)
                self._insert(subject, Entry(state))

    def _insert(self, subject: str, entry: Entry) -> None:
        if self._capacity:
            self._entries[subject] = entry
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)


class StateCache:
    """The states changed last, ready to be changed again; for the writing thread alone."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._states: OrderedDict[str, ProfileState] = OrderedDict()

    def find(self, subject: str) -> ProfileState | None:
        """The state, which then counts as used."""
        state = self._states.get(subject)
        if state is not None:
            self._states.move_to_end(subject)
        return state

    def put(self, subject: str, state: ProfileState) -> None:
        """Takes a state that was just made."""
        self._states[subject] = state
        if len(self._states) > self._capacity:
            self._states.popitem(last=False)

    def drop(self, subjects: Iterable[str]) -> None:
        """Forgets states that are not what is on disk."""
        for subject in subjects:
            self._states.pop(subject, None)
