"""A bundle seen through the live catalogue: rows of one in rows of the other, vectors of what training never saw."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.bundle.live_vectors import LiveVectors
from vitrine.bundle.loader import Bundle
from vitrine.content.model import Vectors
from vitrine.domain.items import Item

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

    def rows(self, item_ids: Sequence[str], /) -> Rows:
        """``int32[m]``, −1 for an unknown item."""
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
    """

    def __init__(self, bundle: Bundle, catalog: CatalogView) -> None:
        self.bundle = bundle
        self.catalog = catalog
        self._lock = threading.Lock()
        self._catalog_rows: Rows = np.full(len(bundle), -1, np.int32)
        self._bundle_rows: Rows = np.full(0, -1, np.int32)
        self._seen = np.zeros(0, np.bool_)
        self._vectors = LiveVectors(bundle)
        # Subscribed first: an item that arrives now is seen at least once.
        self._unsubscribe = catalog.subscribe(self._update)
        self._update(np.arange(len(catalog), dtype=np.int32))

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

    def close(self) -> None:
        """Stops following the catalogue, so that a bundle that was replaced can be freed."""
        if callable(self._unsubscribe):
            self._unsubscribe()
        # It refers to this object: without it, the last request that lets go frees everything at once.
        self._unsubscribe = None

    def _update(self, rows: Rows) -> None:
        """Brings the rows of items that are new or changed up to date."""
        for start in range(0, len(rows), _CHUNK):
            with self._lock:
                self._update_chunk(np.asarray(rows[start : start + _CHUNK], np.int32))

    def _update_chunk(self, rows: Rows) -> None:
        self._reserve(int(rows.max()) + 1)
        first = ~self._seen[rows]
        fresh = rows[first]
        ids, row_of = self.catalog.ids, self.bundle.row_of
        mine = np.array([row_of.get(ids[r], -1) for r in fresh.tolist()], np.int32)
        self._bundle_rows[fresh] = mine
        self._catalog_rows[mine[mine >= 0]] = fresh[mine >= 0]
        self._vectors.update(rows, first, self._bundle_rows[rows], self._item)
        self._seen[fresh] = True

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
        extra = max(size, have + have // 2, 1024) - have
        self._seen = np.concatenate((self._seen, np.zeros(extra, np.bool_)))
        self._vectors.reserve(extra)
        # Last: its length tells readers that there is room in all of them.
        self._bundle_rows = np.concatenate((self._bundle_rows, np.full(extra, -1, np.int32)))


def _read_only(array: npt.NDArray[T]) -> npt.NDArray[T]:
    """What may be read and not written."""
    view = array.view()
    view.flags.writeable = False
    return view
