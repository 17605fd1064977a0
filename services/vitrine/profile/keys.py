"""The keys of events that are stored: in a table, but for the latest, which are known from the log.

A key is a hash, so each falls on a page of its own of a table that is larger than any batch: writing these pages was
a third of the time of a commit. A batch therefore writes keys that wait for the same few pages.
"""

from collections.abc import Collection, Iterable, Sequence

from vitrine.profile.store import Store

# Keys that wait: some 10 MB, and some tenths of a second of reading the log after a crash.
MAX_KEYS = 100_000
# Parts of the table that are written one after another, by the first 12 bits of the key.
PARTS = 4_096


class EventKeys:
    """Which events are stored; for the writing thread alone.

    What `due` and `floor` answer is to be written within a transaction, and `settle` told of it afterwards.
    """

    def __init__(self, store: Store, waiting: Iterable[bytes], floor: int, max_waiting: int) -> None:
        """Knows the table of a store.

        Args:
            store: The store.
            waiting: Keys of events in the log that the table may lack.
            floor: The table lacks none of the events up to this sequence number.
            max_waiting: How many may wait.
        """
        self._store = store
        self._max_waiting = max_waiting
        self._waiting: set[bytes] = set()
        self._parts: list[list[bytes]] = [[] for _ in range(PARTS)]
        # Up to which sequence number each part has all of its keys. The next one to write is the oldest.
        self._floors = [floor] * PARTS
        self._next = 0
        self._add(set(waiting))

    def __len__(self) -> int:
        return len(self._waiting)

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys that are stored."""
        known = self._waiting.intersection(keys)
        return known | self._store.known_keys([key for key in keys if key not in known] if known else keys)

    def due(self, new: int) -> tuple[list[bytes], int]:
        """The keys to write now, in order, and how many parts of the table that is.

        Args:
            new: How many are to be added; no more than some times as many are written, so that no call waits long.
        """
        excess = min(len(self._waiting) + new - self._max_waiting, 4 * new + PARTS // 64)
        due: list[bytes] = []
        parts = 0
        while len(due) < excess and parts < PARTS:
            due += sorted(self._parts[(self._next + parts) % PARTS])
            parts += 1
        return due, parts

    def rest(self) -> list[bytes]:
        """All that wait, in order."""
        return sorted(self._waiting)

    @property
    def floor(self) -> int:
        """The table has the keys of all events up to this sequence number."""
        return self._floors[self._next]

    def settle(self, due: Sequence[bytes], parts: int, new: Collection[bytes], last_seq: int) -> None:
        """Keys were written, others came into the log after ``last_seq``."""
        self._waiting.difference_update(due)
        for part in range(self._next, self._next + parts):
            self._parts[part % PARTS].clear()
            self._floors[part % PARTS] = last_seq
        self._next = (self._next + parts) % PARTS
        self._add(new)

    def discard(self, keys: Iterable[bytes]) -> None:
        """Forgets erased events."""
        for key in keys:
            if key in self._waiting:
                self._waiting.remove(key)
                self._parts[key[0] << 4 | key[1] >> 4].remove(key)

    def _add(self, keys: Collection[bytes]) -> None:
        """Takes keys that do not wait yet."""
        self._waiting.update(keys)
        parts = self._parts
        for key in keys:
            parts[key[0] << 4 | key[1] >> 4].append(key)
