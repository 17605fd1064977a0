"""Which items filters leave, kept between requests and brought up to date item by item as the catalogue changes."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple, Protocol, Self
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Columns, Mask, Rows
from vitrine.domain.request import Filters

# Of so few rows a list is kept beside the mask: what visits them all needs not look for them among all others.
NARROW = 20_000
# Bytes of masks that are kept, and how many.
_MOST_BYTES, _MOST = 64 << 20, 64
# Changes of the catalogue that may wait for the next look; what nobody looks at for longer is forgotten.
_MOST_WAITING = 1_000

Passes = Callable[[Columns, Filters], Mask]


class Grouping(Protocol):
    """Rows in groups, such as the lists of an index."""

    def counts(self, rows: npt.NDArray[np.integer], /) -> npt.NDArray[np.int64]:
        """``int64[g]``: how many of some rows each group holds."""
        ...

    def __len__(self) -> int: ...


class Counts(NamedTuple):
    """How many of some rows are in each of g groups.

    Attributes:
        each: ``int64[g]``.
        filled: ``int64[≤ g]``, the groups that hold any, ascending.
        total: In all of them.
    """

    each: npt.NDArray[np.int64]
    filled: npt.NDArray[np.int64]
    total: int

    @classmethod
    def of(cls, each: npt.NDArray[np.int64]) -> Self:
        """What each holds, and what follows from it."""
        return cls(each, each.nonzero()[0], int(each.sum()))


class Selection:
    """The rows that filters leave. Cells change in place as items do; any thread may read.

    Attributes:
        mask: ``bool[n]``, read-only.
        count: How many are true.
        rows: ``int32[count]``, the same by number, ascending; nothing where they are many.
    """

    def __init__(self, mask: Mask) -> None:
        self._cells = mask
        self._lock = Lock()
        # By grouping, which may be of a bundle that is gone.
        self._groups: WeakKeyDictionary[Grouping, Counts] = WeakKeyDictionary()
        self._publish(mask)

    def counts(self, grouping: Grouping) -> Counts:
        """How many of the rows each group holds; kept, and brought up to date with them."""
        counts = self._groups.get(grouping)
        if counts is None:
            with self._lock:
                rows = self.rows if self.rows is not None else np.flatnonzero(self.mask)
                counts = Counts.of(grouping.counts(rows[: np.searchsorted(rows, len(grouping))]))
                self._groups[grouping] = counts
        return counts

    def put(self, rows: Rows, size: int, passed: Mask) -> None:
        """Sets the cells of some rows below ``size``, which is the new length."""
        if size > len(self._cells):
            longer = np.zeros(size + size // 8, np.bool_)
            longer[: len(self._cells)] = self._cells
            self._cells = longer
        before = self._cells[rows]
        came, left = rows[passed & ~before], rows[before & ~passed]
        if len(came) or len(left):
            with self._lock:
                for grouping, counts in list(self._groups.items()):
                    known = len(grouping)
                    more, fewer = grouping.counts(came[came < known]), grouping.counts(left[left < known])
                    self._groups[grouping] = Counts.of(counts.each + more - fewer)
                self._cells[rows] = passed
                self._publish(self._cells[:size])
        elif size > len(self.mask):
            self._publish(self._cells[:size])

    def _publish(self, mask: Mask) -> None:
        self.mask = mask.view()
        self.mask.flags.writeable = False
        self.count = int(np.count_nonzero(mask))
        self.rows: Rows | None = np.flatnonzero(mask).astype(np.int32) if self.count <= NARROW else None


class Selections:
    """Selections by filters, those used last. Safe to use from several threads.

    Args:
        columns: Answers the columns of the catalogue as they are now.
        passes: Which of some rows pass filters.
    """

    def __init__(self, columns: Callable[[], Columns], passes: Passes) -> None:
        self._columns = columns
        self._passes = passes
        self._kept: OrderedDict[Filters, tuple[Selection, list[Rows]]] = OrderedDict()
        self._lock = Lock()

    def changed(self, rows: Rows) -> None:
        """These rows are new or changed."""
        with self._lock:
            for filters, (_, waiting) in list(self._kept.items()):
                waiting.append(rows)
                if len(waiting) > _MOST_WAITING:
                    # Nobody has asked for long.
                    del self._kept[filters]

    def of(self, filters: Filters) -> Selection:
        """What the filters leave of all rows that there are now."""
        with self._lock:
            # Taken here: a change after it is told of after it, and so waits for the next look.
            columns = self._columns()
            size = len(columns)
            selection, waiting = self._kept.get(filters, (None, []))
            if selection is None or sum(map(len, waiting)) > size // 8:
                selection = Selection(self._passes(columns, filters).copy())
                self._kept[filters] = selection, []
            elif waiting or len(selection.mask) < size:
                newer = np.arange(len(selection.mask), size, dtype=np.int32)
                rows = np.unique(np.concatenate([*waiting, newer]))
                waiting.clear()
                selection.put(rows, size, self._passes(columns[rows], filters))
            self._kept.move_to_end(filters)
            self._bound(size)
            return selection

    def _bound(self, size: int) -> None:
        most = min(_MOST, max(_MOST_BYTES // max(size, 1), 1))
        while len(self._kept) > most:
            self._kept.popitem(last=False)
