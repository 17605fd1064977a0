"""Which rows of the catalogue changed lately, for what is derived from them and asked for now and then."""

from collections import deque
from threading import Lock

import numpy as np

from vitrine.catalog.columns import Rows

# Rows that are remembered; whoever comes later starts again from all of them.
_MOST = 50_000
_NO_ROWS: Rows = np.empty(0, np.int32)


class Journal:
    """The latest changes in order. Safe to use from several threads."""

    def __init__(self) -> None:
        self._entries: deque[Rows] = deque()
        self._rows = 0
        # The number of the latest change.
        self._last = 0
        self._lock = Lock()

    def add(self, rows: Rows) -> None:
        """These rows are new or changed, and can be read already."""
        with self._lock:
            self._entries.append(rows)
            self._last += 1
            self._rows += len(rows)
            while self._rows > _MOST:
                self._rows -= len(self._entries.popleft())

    def forget(self) -> None:
        """Everything may have changed."""
        with self._lock:
            self._entries.clear()
            self._rows = 0
            self._last += 1

    def since(self, last: int) -> tuple[Rows | None, int]:
        """``int32[k]`` rows that changed after a change, ascending, and the number of the latest change.

        Args:
            last: What an earlier call answered; −1 for none.

        Returns:
            Nothing instead of rows where they are not known any more.
        """
        with self._lock:
            missed = self._last - last
            if missed == 0:
                return _NO_ROWS, self._last
            if last < 0 or missed > len(self._entries):
                return None, self._last
            entries = list(self._entries)[len(self._entries) - missed :]
            return np.unique(np.concatenate([np.empty(0, np.int32), *entries])), self._last
