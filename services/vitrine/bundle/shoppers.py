"""Past shoppers: what those turned to who share the most with the one who asks."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle.files import BundleFiles
from vitrine.bundle.scratch import Scratch, order_of, ranges
from vitrine.errors import BundleError

Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

# So many shoppers speak, as the nearest and as a crowd, and of an item that very many share so many are looked at.
NEIGHBOURS, CROWD = 500, 5000
_MOST_SHOPPERS = 2000
# An item that many share says less of who shares it: exponent of its number of shoppers.
_RARITY = 0.6
# The likeness is sharpened by this power, so that the nearest speak louder than the many.
_SHARP = 1.5
# What many took anyway is said less loudly: exponent of its number of shoppers.
_POPULARITY = 0.2
# In a crowd, who turned to much says less for each of it: exponent of the number of items.
_ACTIVITY = 0.7


class _Index(NamedTuple):
    """Shoppers by item: those of item i are ``shoppers[starts[i]:starts[i + 1]]``; weights of items and shoppers."""

    starts: npt.NDArray[np.int64]
    shoppers: npt.NDArray[np.int32]
    rarity: Floats
    damped: Floats
    length: Floats
    active: Floats


class Shoppers:
    """Nearest neighbours among past shoppers, and all of them: nothing is fitted, their histories are the model.

    A shopper v is like the one who asks by the shared items i, ``(Σ w_i n_i^−0.6 ÷ (Σ_{i ∈ v} n_i^−0.6)^½)^1.5`` with
    n_i the shoppers of i: an asymmetric cosine that is sharpened by a power (Aiolli, RecSys 2013, "Efficient top-n
    recommendation for very large scale binary rated datasets": his α and his locality q), over items weighted by
    rarity. The nearest ones say their likeness for all their items.

    As a crowd they say ``Σ w_i n_i^−0.6 ÷ |v|^0.7``, which added up over everybody is item kNN with all neighbours: the
    co-occurrence of two items, less of the active shoppers and of the popular items (Deshpande & Karypis, TOIS 2004,
    section 4.1.2: row normalisation, and probability with an exponent).

    Safe to use from several threads. Rows of −1 ("not in the bundle") are allowed wherever rows are given; they
    contribute nothing and score 0.

    Attributes:
        indptr: ``int64[s + 1]``, shopper i owns entries ``indptr[i]`` to ``indptr[i + 1]``; numbers mean nothing.
        items: ``int32[nnz]``, rows of items, each once a shopper.
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
        return f"Shoppers({len(self):,} shoppers, {self.item_count:,} items)"

    def scores_at(self, rows: Rows, weights: Floats, candidates: Rows, *, crowd: bool = False) -> Scores:
        """``float32[m]``: what the nearest shoppers say for each candidate, or the crowd.

        Args:
            rows: ``int32[h]``, the items of a history.
            weights: ``float64[h]``, how much each counts.
            candidates: ``int32[m]``, in any order, repeats allowed.
            crowd: Whether it is the crowd.
        """
        found, likeness = self.alike(rows, weights, crowd=crowd)
        entries, owner = ranges(self.indptr[found], self.indptr[found + 1])
        with self._scratch.places("items", self.item_count + 1, candidates) as place:
            # Place 0 collects what is no candidate. A candidate of −1 has the last place, which no entry names.
            sums = np.bincount(place[self.items[entries]], likeness[owner], len(candidates) + 1)
            return (sums[place[candidates]] * self._index.damped[candidates]).astype(np.float32)

    def alike(
        self, rows: Rows, weights: Floats, *, crowd: bool = False
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """At most `NEIGHBOURS` shoppers, or `CROWD`, in no particular order, and what each says; all above 0."""
        index = self._index
        known = np.flatnonzero((np.asarray(rows) >= 0) & (np.asarray(weights) > 0))
        own = np.asarray(rows, np.int64)[known]
        start = index.starts[own]
        entries, source = ranges(start, np.minimum(index.starts[own + 1], start + _MOST_SHOPPERS))
        values = (np.asarray(weights, np.float64)[known] * index.rarity[own])[source]
        shared: Floats = np.bincount(index.shoppers[entries], values, len(self)).astype(
            np.float64, copy=False
        )
        likeness = shared / (index.active if crowd else index.length)
        found, most = np.flatnonzero(likeness), CROWD if crowd else NEIGHBOURS
        if len(found) > most:
            found = found[np.argpartition(likeness[found], -most)[-most:]]
        return found, likeness[found] if crowd else likeness[found] ** _SHARP


def read_shoppers(files: BundleFiles, n: int) -> Shoppers | None:
    """Past shoppers of n items, or nothing.

    Raises:
        BundleError: They are not lists of items, each item once.
    """
    bounds, names = (f"shoppers.{column}.npy" for column in ("indptr", "items"))
    if bounds not in files and names not in files:
        return None
    indptr = files.array(bounds, "int64", (None,))
    lengths = np.diff(indptr)
    if not len(indptr) or indptr[0] != 0 or (lengths < 1).any():
        raise BundleError(f"{files.path / bounds}: a shopper has no items; train the bundle again")
    items = files.array(names, "int32", (int(indptr[-1]),))
    if len(items) and (items.min() < 0 or items.max() >= n):
        raise BundleError(f"{files.path / names}: names rows outside 0 to {n - 1}; train the bundle again")
    keys = np.sort(np.repeat(np.arange(len(lengths)) * max(n, 1), lengths) + items)
    if (np.diff(keys) == 0).any():
        raise BundleError(f"{files.path / names}: a shopper has an item twice; train the bundle again")
    return Shoppers(indptr, items, n)


def _indexed(indptr: npt.NDArray[np.int64], items: Rows, n: int) -> _Index:
    lengths = np.diff(indptr)
    counts = np.bincount(items, minlength=n)
    shared = np.maximum(counts, 1).astype(np.float64)
    rarity = shared**-_RARITY
    owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    return _Index(
        starts=np.concatenate(([0], np.cumsum(counts))),
        shoppers=owner[order_of(items)],
        rarity=rarity,
        # One more, for items that are not in the bundle.
        damped=np.append(shared**-_POPULARITY, 0.0),
        length=np.sqrt(np.bincount(owner, rarity[items], len(lengths))),
        active=lengths.astype(np.float64) ** _ACTIVITY,
    )
