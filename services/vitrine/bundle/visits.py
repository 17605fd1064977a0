"""Past visits: what comes next is what came next in the visits most like the one that goes on."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle.scratch import Scratch, order_of, ranges

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

# So many visits decide, and of an item that very many share the latest so many are looked at: more cost time and
# change little (Jannach & Ludewig, RecSys 2017, sample 500 to 1000 too).
NEIGHBOURS = 500
_MOST_VISITS = 1000
# By so many steps from where the visits meet an item counts a factor e less.
_REACH = 3.0
# Added to the length of a visit, so that the shortest ones are not always the most alike.
_PAD = 2.0
# What being the latest visit is worth: less than any difference in likeness that says something.
_LATER = 1e-6


class _Nearest(NamedTuple):
    """k visits: their numbers, how much each is like the one asked about, and where in them the two meet."""

    visits: npt.NDArray[np.int64]
    likeness: Floats
    meets: npt.NDArray[np.int64]


class _Index(NamedTuple):
    """Visits by item: item i is in ``visits[starts[i]:starts[i + 1]]``, at ``places`` there; and how rare each item is."""

    starts: npt.NDArray[np.int64]
    visits: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    rarity: Floats


class Visits:
    """Nearest neighbours among past visits (session kNN): nothing is fitted, the visits themselves are the model.

    A visit is like the one that goes on by the items that they share, weighted by what the caller says of each (how
    late it came, as in Ludewig & Jannach, UMUAI 2018, section 3.2: "V-SkNN") and by the logarithm of how rare it is,
    over the root of its length. A neighbour speaks for its items the more, the nearer they stand to the shared item
    that counts most (Garg et al., SIGIR 2019, equation 6).

    Safe to use from several threads. Rows of −1 ("not in the bundle") are allowed wherever rows are given; they
    contribute nothing and score 0.

    Attributes:
        indptr: ``int64[v + 1]``, visit i owns entries ``indptr[i]`` to ``indptr[i + 1]``; the latest visits last.
        items: ``int32[nnz]``, rows of items, in the order in which they were turned to first, each once a visit.
        item_count: n.
    """

    __slots__ = ("_index", "_scratch", "indptr", "item_count", "items")

    def __init__(self, indptr: npt.NDArray[np.int64], items: Rows, item_count: int) -> None:
        # Plain arrays: indexing a memmap costs a subclass check each time.
        self.indptr = np.asarray(indptr, np.int64)
        self.items = np.asarray(items, np.int32)
        self.item_count = item_count
        self._index = _indexed(self.indptr, self.items, item_count)
        self._scratch = Scratch()

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __repr__(self) -> str:
        return f"Visits({len(self):,} visits, {self.item_count:,} items)"

    def names_twice(self) -> bool:
        """Whether a visit names an item twice, which none may."""
        index = self._index
        again = index.visits[1:] == index.visits[:-1]
        # The first visit of an item may be the last one of the item before.
        first = index.starts[1:-1]
        again[first[(first > 0) & (first < len(index.visits))] - 1] = False
        return bool(again.any())

    def scores_at(self, rows: Rows, weights: Floats, candidates: Rows) -> Scores:
        """``float32[m]``: what the visits most like a visit say for each candidate, without visiting all items.

        Args:
            rows: ``int32[h]``, the items of the visit that goes on.
            weights: ``float64[h]``, how much each counts, above 0.
            candidates: ``int32[m]``, in any order, repeats allowed.
        """
        named, values = self._said(rows, weights)
        with self._scratch.places("items", self.item_count + 1, candidates) as place:
            # Place 0 collects what is no candidate. A candidate of −1 has the last place, which no entry names.
            sums = np.bincount(place[named], values, len(candidates) + 1)
            return sums[place[candidates]].astype(np.float32)

    def neighbours(self, rows: Rows, weights: Floats) -> tuple[Rows, Scores]:
        """The items that like visits lead to, in no particular order: ``int32[m]`` and their scores ``float32[m]``.

        Args:
            rows: ``int32[h]``, the items of the visit that goes on.
            weights: ``float64[h]``, how much each counts, above 0.
        """
        named, values = self._said(rows, weights)
        last, own = self._scratch.grouped("items", self.item_count + 1, named)
        sums = np.bincount(last, values, len(named))
        return named[own], sums[own].astype(np.float32)

    def _said(self, rows: Rows, weights: Floats) -> tuple[Rows, Floats]:
        """Each item of each of the nearest visits, and how much that visit says for it."""
        near = self._nearest(rows, weights)
        entries, owner = ranges(self.indptr[near.visits], self.indptr[near.visits + 1])
        away = np.abs(entries - self.indptr[near.visits][owner] - near.meets[owner])
        return self.items[entries], near.likeness[owner] * np.exp(away / -_REACH)

    def _nearest(self, rows: Rows, weights: Floats) -> _Nearest:
        known = np.flatnonzero((np.asarray(rows) >= 0) & (np.asarray(weights) > 0))
        # What counts most is looked up last, and so is what stays in the scratch space: it says where visits meet.
        known = known[np.argsort(np.asarray(weights)[known], kind="stable")]
        own = np.asarray(rows, np.int64)[known]
        index = self._index
        stop = index.starts[own + 1]
        entries, source = ranges(np.maximum(index.starts[own], stop - _MOST_VISITS), stop)
        values = (np.asarray(weights, np.float64)[known] * index.rarity[own])[source]
        visits = index.visits[entries]
        last, first = self._scratch.grouped("visits", len(self), visits)
        likeness = np.bincount(last, values, len(visits))[first]
        found = visits[first].astype(np.int64)
        likeness = likeness / np.sqrt(self.indptr[found + 1] - self.indptr[found] + _PAD)
        if len(found) > NEIGHBOURS:
            # Of visits that are equally like it, the latest.
            best = np.argpartition(likeness * (1 + _LATER * found / len(self)), -NEIGHBOURS)[-NEIGHBOURS:]
            found, likeness, first = found[best], likeness[best], first[best]
        return _Nearest(found, likeness, index.places[entries[first]].astype(np.int64))


def _indexed(indptr: npt.NDArray[np.int64], items: Rows, n: int) -> _Index:
    lengths = np.diff(indptr)
    order = order_of(items)
    counts = np.bincount(items, minlength=n)
    owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    # `take` and no brackets, which take twice as long.
    visits = np.take(owner, order)
    order -= np.take(indptr, visits)
    starts = np.concatenate(([0], np.cumsum(counts)))
    return _Index(starts, visits, order.astype(np.int32), np.log1p(len(lengths) / (counts + 1.0)))
