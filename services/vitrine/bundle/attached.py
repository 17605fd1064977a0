"""A bundle seen through the live catalogue: rows of one in rows of the other, vectors of what training never saw."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.bundle.items import Keeps
from vitrine.bundle.live_vectors import LiveVectors
from vitrine.bundle.loader import Bundle
from vitrine.bundle.matching import matched
from vitrine.bundle.near import NearIndex
from vitrine.content.model import Vectors
from vitrine.domain.items import Item
from vitrine.domain.known_rows import rows_of as rows_of_items
from vitrine.domain.profile import Profile
from vitrine.domain.request import Context
from vitrine.interest import Interests
from vitrine.interest.reading import InterestReader

Rows = npt.NDArray[np.int32]
T = TypeVar("T", bound=np.generic)
_CHUNK = 4096


class CatalogView(Protocol):
    """What is needed of a catalogue; `vitrine.catalog.Catalog` has it. Rows never change their item."""

    @property
    def ids(self) -> Sequence[str]:
        """The items by row."""
        ...

    def __len__(self) -> int: ...

    @property
    def numbered(self) -> int:
        """How many items `rows` finds, or fewer."""
        ...

    def rows(self, item_ids: Sequence[str], /) -> Rows:
        """``int32[m]``, −1 for an unknown item."""
        ...

    def text_hashes(self, rows: Rows, /) -> npt.NDArray[np.uint64]:
        """``uint64[m]``: hashes of the texts of some rows; see `vitrine.content.text.text_hashes`."""
        ...

    def get(self, item_id: str, /) -> Item | None:
        """The item."""
        ...

    def subscribe(self, callback: Callable[[Rows], Any], /) -> Any:
        """Calls back with the rows of items that are new or changed; returns what ends that."""
        ...


class AttachedBundle:
    """Keeps the correspondence up to date as items arrive and change; one instance serves a whole process.

    Readers never wait. Arrays are read-only, plugins read them too, and at least as long as the catalogue was when they were asked for; for an instant,
    an item that has just arrived has row −1 and a zero vector.

    Attributes:
        bundle: The bundle.
        catalog: The catalogue.

    Args:
        background: Whether searches in large catalogues are made ready in threads; they are exact until then.
        memory: The store of the catalogue, which remembers what a start would find again.
    """

    def __init__(
        self,
        bundle: Bundle,
        catalog: CatalogView,
        *,
        background: bool = False,
        memory: Keeps | None = None,
    ) -> None:
        self.bundle = bundle
        self.catalog = catalog
        self._lock = threading.Lock()
        self._bundle_rows: Rows = np.full(0, -1, np.int32)
        self._seen = np.zeros(0, np.bool_)
        self._vectors = LiveVectors(bundle, self._lock, background=background)
        self._reader = None if bundle.interest is None else InterestReader(bundle.interest)
        # How often interest vectors changed.
        self._changes = 0
        # Without the lock: the store has one of its own, under which it tells of changes.
        self._matched = len(catalog)
        self._catalog_rows = matched(bundle, catalog, memory)
        with self._lock:
            # First of all: an item that arrives now is seen at least once.
            self._unsubscribe = catalog.subscribe(self._update)
            size = len(catalog)
            self._reserve(size)
            self._missing = self._place()
        self._update(np.arange(size, dtype=np.int32))

    @property
    def version(self) -> str:
        """Version of the bundle."""
        return self.bundle.version

    @property
    def catalog_rows(self) -> Rows:
        """``int32[len(bundle)]``: rows of the catalogue; −1 where it lacks the item."""
        return _read_only(self._catalog_rows)

    @property
    def bundle_rows(self) -> Rows:
        """``int32[len(catalog)]``: rows of the bundle; −1 for an item that is newer than it."""
        size = self._cover()
        return _read_only(self._bundle_rows[:size])

    @property
    def content(self) -> Vectors | None:
        """``float32[len(catalog), dc]``: content vectors as of each item's text today; ``None`` when content is off."""
        if self.bundle.content is None:
            return None
        size = self._cover()
        return _read_only(self._vectors.content[:size])

    @property
    def interest_vectors(self) -> Vectors | None:
        """``float32[len(catalog), d]``: vectors of the interest model; ``None`` when the bundle has none.

        Trained items have the vectors of training. Newer ones have the projection of their content vectors: zero
        where they have no text, or the bundle no projection.
        """
        if self.bundle.interest is None:
            return None
        size = self._cover()
        return _read_only(self._vectors.interest[:size])

    @property
    def near_content(self) -> NearIndex:
        """Finds among `content`."""
        return self._vectors.near_content

    @property
    def near_interest(self) -> NearIndex:
        """Finds among `interest_vectors`."""
        return self._vectors.near_interest

    def wait(self, seconds: float) -> None:
        """Waits until searches are quick, at most so long for each table of vectors."""
        self.near_content.wait(seconds)
        self.near_interest.wait(seconds)

    def interests(
        self, profiles: Sequence[Profile], contexts: Sequence[Context], now: float
    ) -> Interests | None:
        """What each of b shoppers is interested in as of ``now``; ``None`` when the bundle has no model of that.

        Raises:
            InferenceError: The model failed or answered NaN.
            InferenceTimeout: It took too long.
        """
        changes, vectors = self._changes, self.interest_vectors
        if self._reader is None or vectors is None:
            return None

        def rows_of(item_ids: Sequence[str]) -> Rows:
            rows = rows_of_items(self.catalog, item_ids)
            # What has arrived since has no vector among these.
            return np.where(rows < len(vectors), rows, np.int32(-1))

        return self._reader.read(profiles, contexts, now, rows_of, vectors, changes)

    def close(self) -> None:
        """Stops following the catalogue, so that a bundle that was replaced can be freed."""
        if callable(self._unsubscribe):
            self._unsubscribe()
        self.near_content.close()
        self.near_interest.close()
        # It refers to this object: without it, the last request that lets go frees everything at once.
        self._unsubscribe = None

    def _update(self, rows: Rows) -> None:
        """Brings the rows of items that are new or changed up to date."""
        for start in range(0, len(rows), _CHUNK):
            with self._lock:
                self._update_chunk(np.asarray(rows[start : start + _CHUNK], np.int32))
        self._vectors.follow(self._cover())

    def _update_chunk(self, rows: Rows) -> None:
        self._reserve(int(rows.max()) + 1)
        first = ~self._seen[rows]
        fresh = rows[first]
        # Before the items: a text that changes meanwhile is told of again.
        hashes = self.catalog.text_hashes(rows)
        for row in fresh[fresh >= self._matched].tolist() if self._missing else ():
            mine = self._missing.pop(self.catalog.ids[row], -1)
            if mine >= 0:
                self._bundle_rows[row], self._catalog_rows[mine] = mine, row
        before = self._vectors.interest[rows[~first]]
        self._vectors.update(rows, first, self._bundle_rows[rows], hashes, self._item)
        self._seen[fresh] = True
        # After them: who took the number before and the vectors after remembers what is as new as can be.
        self._changes += len(fresh) > 0 or not np.array_equal(before, self._vectors.interest[rows[~first]])

    def _place(self) -> dict[str, int]:
        """Sets `bundle_rows` by `catalog_rows`; the rows of the bundle's other items."""
        known = np.flatnonzero(self._catalog_rows >= 0).astype(np.int32)
        self._bundle_rows[self._catalog_rows[known]] = known
        return {self.bundle.item_ids[row]: row for row in np.flatnonzero(self._catalog_rows < 0).tolist()}

    def _item(self, row: int) -> Item:
        item_id = self.catalog.ids[row]
        return self.catalog.get(item_id) or Item(item_id=item_id)

    def _cover(self) -> int:
        """The length of the catalogue, once there is room for it."""
        size = len(self.catalog)
        if size > len(self._bundle_rows):
            with self._lock:
                self._reserve(size)
        return size

    def _reserve(self, size: int) -> None:
        """Makes room for so many items. New arrays replace the old ones: readers of those go on undisturbed."""
        have = len(self._bundle_rows)
        if size <= have:
            return
        # The first time as many as there are: room to grow is taken when something grows.
        extra = max(size, have + have // 4 if have else 0, 1024) - have
        self._seen = np.concatenate((self._seen, np.zeros(extra, np.bool_)))
        self._vectors.reserve(extra)
        # Last: its length tells readers that there is room in all of them.
        self._bundle_rows = np.concatenate((self._bundle_rows, np.full(extra, -1, np.int32)))


def _read_only(array: npt.NDArray[T]) -> npt.NDArray[T]:
    """What may be read and not written."""
    view = array.view()
    view.flags.writeable = False
    return view
