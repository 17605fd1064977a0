"""Rows of lists of items that are looked up again and again: a profile's history, several times a request."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]


class Numbered(Protocol):
    """What numbers items, for good; `vitrine.catalog.Catalog` does."""

    def __len__(self) -> int: ...

    def rows(self, item_ids: Sequence[str], /) -> Rows:
        """``int32[m]``, −1 for an unknown item."""
        ...


# So many lists are remembered for each catalogue, and of at most so many items each.
_KEPT, _MOST_ITEMS = 512, 4096
_memos: "WeakKeyDictionary[Numbered, _Memo]" = WeakKeyDictionary()
_making = threading.Lock()


def rows_of(catalog: Numbered, item_ids: Sequence[str]) -> Rows:
    """``int32[m]``, read-only: as `Numbered.rows`; of a tuple it is remembered for as long as it stays true.

    A row is for good, so that only what was unknown has to be looked for again, once the catalogue has grown. The tuple is
    known by itself, not by what is in it.
    """
    if not isinstance(item_ids, tuple) or not item_ids:
        return _frozen(catalog.rows(item_ids))
    memo = _memos.get(catalog)
    if memo is None:
        with _making:
            memo = _memos.setdefault(catalog, _Memo())
    return memo.rows(catalog, item_ids)


class _Memo:
    """The lists of one catalogue; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The list is kept with its rows: as long as it is, no other one has its number.
        self._known: OrderedDict[int, tuple[tuple[str, ...], int, Rows]] = OrderedDict()

    def rows(self, catalog: Numbered, item_ids: tuple[str, ...]) -> Rows:
        """As `rows_of`."""
        key, size = id(item_ids), len(catalog)
        # One look at the table, without the lock: it is whole, and of this very list, or none.
        known = self._known.get(key)
        if known is not None and known[0] is item_ids and (known[1] < 0 or known[1] == size):
            return known[2]
        rows = _frozen(catalog.rows(item_ids))
        if len(item_ids) <= _MOST_ITEMS:
            whole = not len(rows) or int(rows.min()) >= 0
            with self._lock:
                self._known[key] = (item_ids, -1 if whole else size, rows)
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return rows


def _frozen(rows: Rows) -> Rows:
    rows.flags.writeable = False
    return rows
