"""Profiles from memory, or else from the disk; those that are damaged there, from the log."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.profile.cache import Entry
from vitrine.profile.columns import empty_profile, to_profile
from vitrine.profile.damage import DAMAGE
from vitrine.profile.encoding import encode_state
from vitrine.profile.lag import caught_up
from vitrine.profile.memory import Memory
from vitrine.profile.reads import Readers

# So many events after an encoded profile are counted once by a reader, and not again by the next.
_SHORTEN = 4


class Answers:
    """What readers are told. Any thread may ask."""

    def __init__(self, readers: Readers, memory: Memory) -> None:
        self._readers = readers
        self._cache = memory.cache
        self._lag = memory.lag
        self._rules = memory.rules
        self._lookup = memory.lookup

    def peek(self, key: str, subject: Subject, watermark: int, min_watermark: int) -> Profile | None:
        """The profile of a subject, stored as ``key``, if it is in memory and sound; see `find`."""
        entry = self._cache.find(key)
        if entry is None:
            return None
        try:
            return self._profile(key, entry, subject, watermark, min_watermark)
        except DAMAGE:
            return None

    def find(
        self, asked: Mapping[str, Subject], watermark: int, min_watermark: int = 0
    ) -> dict[str, Profile]:
        """The profiles of subjects by what they are stored as.

        Args:
            asked: The subjects by what they are stored as.
            watermark: Sequence number of the last event recorded, or of one before it.
            min_watermark: The watermark of the profiles is at least this, which is at most ``watermark``.

        Raises:
            Unavailable: The store cannot be read.
        """
        entries = {key: entry for key in asked if (entry := self._cache.find(key)) is not None}
        if missing := [key for key in asked if key not in entries]:
            entries |= self._read(missing)
        found: dict[str, Profile] = {}
        damaged: dict[str, Entry] = {}
        for key, subject in asked.items():
            entry = entries[key]
            try:
                found[key] = self._profile(key, entry, subject, watermark, min_watermark)
            except DAMAGE:
                damaged[key] = entry
        return found | self._mended(damaged, asked, watermark) if damaged else found

    def _read(self, keys: Sequence[str]) -> dict[str, Entry]:
        """What is not in memory."""
        begun = [self._cache.begin(key) for key in keys]
        # Before the disk: what is written meanwhile is then in both rather than in neither.
        waiting = [self._lag.of(key) for key in keys]
        found = self._readers.states(keys)
        entries: dict[str, Entry] = {}
        again: list[str] = []
        for key, entry, rows in zip(keys, begun, waiting, strict=True):
            if rows and self._lag.of(key)[:1] != rows[:1]:
                # Written or erased meanwhile: what the disk had may be from before or from after.
                again.append(key)
            else:
                entries[key] = self._cache.fill(key, entry, found.get(key), rows)
        return entries | self._read(again) if again else entries

    def _profile(
        self, key: str, entry: Entry, subject: Subject, watermark: int, min_watermark: int
    ) -> Profile:
        profile = entry.profile
        if profile is None:
            if entry.state is None and not entry.rows:
                profile = empty_profile(self._rules, subject, watermark)
            else:
                state = caught_up(entry.state, entry.rows, self._rules)
                profile = to_profile(state, self._rules, subject, watermark)
                if len(entry.rows) >= _SHORTEN:
                    self._cache.replace(key, entry, Entry(encode_state(state), (), profile))
            entry.profile = profile
        if profile.watermark < min_watermark:
            profile = entry.profile = replace(profile, watermark=watermark)
        return profile

    def _mended(
        self, damaged: Mapping[str, Entry], asked: Mapping[str, Subject], watermark: int
    ) -> dict[str, Profile]:
        """Those that make no sense, counted again; the writing thread will put them on disk."""
        states = self._readers.rebuilt(list(damaged), self._rules, self._lookup)
        found: dict[str, Profile] = {}
        for key, entry in damaged.items():
            found[key] = profile = to_profile(states[key], self._rules, asked[key], watermark)
            self._cache.replace(key, entry, Entry(encode_state(states[key]), (), profile))
            self._lag.mark(key, readable=True)
        return found
