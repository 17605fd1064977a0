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

    @property
    def numbered(self) -> int:
        """How many items `rows` finds, or fewer."""
        ...

    def rows(self, item_ids: Sequence[str], /) -> Rows:
        """``int32[m]``, −1 for an unknown item."""
        ...


# The latest lists are remembered for each catalogue, as long as they have so many items in all, a list itself taking as
# much as so many; longer ones than most are not.
_KEPT, _A_LIST, _LONGEST = 1 << 17, 32, 4096
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


# A list, how many items the catalogue found if it lacked any of them, else −1, and the rows.
_Known = tuple[tuple[str, ...], int, Rows]


class _Memo:
    """The lists of one catalogue; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The list is kept with its rows: as long as it is, no other one has its number.
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._size = 0

    def rows(self, catalog: Numbered, item_ids: tuple[str, ...]) -> Rows:
        """As `rows_of`."""
        key, size = id(item_ids), catalog.numbered
        # One look at the table, without the lock: it is whole, and of this very list, or none.
        known = self._known.get(key)
        if known is not None and known[0] is item_ids and (known[1] < 0 or known[1] == size):
            return known[2]
        rows = _frozen(catalog.rows(item_ids))
        if len(item_ids) <= _LONGEST:
            whole = int(rows.min()) >= 0
            with self._lock:
                self._forget(self._known.pop(key, None))
                self._known[key] = (item_ids, -1 if whole else size, rows)
                self._size += len(item_ids) + _A_LIST
                while self._size > _KEPT:
                    self._forget(self._known.popitem(last=False)[1])
        return rows

    def _forget(self, known: _Known | None) -> None:
        if known is not None:
            self._size -= len(known[0]) + _A_LIST


def _frozen(rows: Rows) -> Rows:
    rows.flags.writeable = False
    return rows
