"""Inverted lists of vectors that change: made beside the searches, made anew when they have grown old."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vitrine.bundle.lists import InvertedLists, Rows
from vitrine.content.model import Vectors

log = logging.getLogger(__name__)

# Fewer vectors are looked through as quickly.
LEAST = 50_000
# Lists are made anew when one in so many rows is newer than they are, or changed since.
_NEWER, _CHANGED = 8, 64
# Seconds that making them in the background waits: a server that starts answers first, exactly, and computes then.
PAUSE = 2.0
# How many targets the search is tuned on, and items in a history.
_TARGETS, _HISTORY = 64, 8
# Seconds until it is tried again to make lists that could not be made.
_RETRY = 600.0


@dataclass(slots=True)
class Made:
    """Lists as of a moment, and what changed since.

    Attributes:
        lists: The lists, of the first n rows.
        stale: ``bool[n]``, rows whose vectors in the lists are old.
        changed: ``int32[k]``, the same by number.
        settled: Of so many of ``changed``, the first ones, ``stale`` tells already.
    """

    lists: InvertedLists
    stale: npt.NDArray[np.bool_]
    changed: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    settled: int = 0

    def mark(self, rows: Rows) -> None:
        """Their vectors are about to change."""
        rows = rows[rows < len(self.stale)]
        rows = rows[~self.stale[rows]]
        # First the rows: a search that sees the mark must find them.
        self.changed = np.concatenate((self.changed, rows))
        self.stale[rows] = True
        self.settled = len(self.changed)


class NearIndex:
    """Follows a table of vectors.

    Args:
        name: Of what, for the log.
        lock: Held by who writes vectors, from `changing` on until they are written.
        targets: Makes of ``float32[n, d]`` vectors some that are like what will be searched for.
        background: Whether lists are made in a thread, so that searches are exact meanwhile, or by who writes.

    Attributes:
        made: The lists now; nothing where all vectors are looked through. Read it once a search.
    """

    def __init__(
        self, name: str, lock: threading.Lock, targets: Callable[[Vectors], Vectors], *, background: bool
    ) -> None:
        self.made: Made | None = None
        self._name = name
        self._lock = lock
        self._targets = targets
        self._background = background
        # Rows that change while lists are made; nothing while none are.
        self._meanwhile: list[Rows] | None = None
        self._thread: threading.Timer | None = None
        self._again = -np.inf

    def changing(self, rows: Rows) -> None:
        """The vectors of these rows are about to be written; the lock is held."""
        if self._meanwhile is not None:
            self._meanwhile.append(rows)
        if self.made is not None:
            self.made.mark(rows)

    def follow(self, table: Callable[[], Vectors]) -> None:
        """Has lists made where it is time to; the lock is not held.

        Args:
            table: Answers the vectors, ``float32[n, d]``; asked for with the lock held, for whoever writes may put
                another, longer table in their place.
        """
        with self._lock:
            vectors = table()
            if self._meanwhile is not None or not self._due(len(vectors)):
                return
            self._meanwhile = []
        if self._background:
            self._thread = threading.Timer(PAUSE, self._make, (vectors,))
            self._thread.name, self._thread.daemon = f"lists-{self._name}", True
            self._thread.start()
        else:
            self._make(vectors)

    def close(self) -> None:
        """Makes no lists that are not begun."""
        if self._thread is not None:
            self._thread.cancel()

    def wait(self, seconds: float) -> None:
        """Waits for lists that are being made, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _due(self, size: int) -> bool:
        if time.monotonic() < self._again:
            return False
        if self.made is None:
            return size >= LEAST
        have = len(self.made.lists)
        return size - have > have // _NEWER or len(self.made.changed) > have // _CHANGED

    def _make(self, vectors: Vectors) -> None:
        began, made = time.perf_counter(), None
        try:
            made = Made(InvertedLists(vectors, self._targets(vectors)), np.zeros(len(vectors), np.bool_))
        except Exception:  # searches go on looking through everything
            log.exception("no lists of %s vectors could be made; searches take longer", self._name)
        with self._lock:
            meanwhile, self._meanwhile = self._meanwhile or [], None
            if made is None:
                self._again = time.monotonic() + _RETRY
            else:
                for rows in meanwhile:
                    made.mark(rows)
                self.made = made
                took = time.perf_counter() - began
                log.info("%d %s vectors are searched by lists (%.1f s)", len(vectors), self._name, took)


def like_texts(vectors: Vectors) -> Vectors:
    """``float32[t, d]``: means of a few items each, as histories have them."""
    rng = np.random.default_rng(0)
    histories = vectors[rng.integers(len(vectors), size=(_TARGETS, _HISTORY))]
    return np.asarray(histories.mean(axis=1), np.float32)


def like_interests(vectors: Vectors) -> Vectors:
    """``float32[t, d]``: any direction, for shoppers' lie in all of them; measured, they need as many lists."""
    return np.random.default_rng(0).standard_normal((_TARGETS, vectors.shape[1])).astype(np.float32)
