"""Ranked lists and what they should have held, as columns. Items are codes of an `ItemCodes`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from vitrine.domain.ids import tie_keys
from vitrine_export.evaluate.sequences import Codes, Sequences

__all__ = ["Codes", "ItemCodes", "ItemSets", "Lists", "Sequences"]


class ItemCodes:
    """Items by number. A number means nothing: whatever has to decide between equals uses `ties`.

    Attributes:
        ids: Identifiers by code.
        ties: ``uint64[n]``, hash of seed and identifier.
    """

    def __init__(self, ids: Iterable[str], seed: int) -> None:
        self.ids: list[str] = sorted(set(ids))
        self.ties = tie_keys(self.ids, seed)
        self._code_of = {item_id: code for code, item_id in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self.ids)

    def codes(self, item_ids: Iterable[str]) -> Codes:
        """``int32[m]``: the codes of items; −1 for an unknown one."""
        return np.array([self._code_of.get(item_id, -1) for item_id in item_ids], np.int32)


@dataclass(frozen=True, slots=True)
class ItemSets:
    """A set of items for each of q queries.

    Attributes:
        offsets: ``int64[q + 1]``; query i owns ``items[offsets[i]:offsets[i + 1]]``.
        items: ``int32[m]`` codes without repeats within a query, in rising order.
    """

    offsets: npt.NDArray[np.int64]
    items: Codes

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """``int64[q]``."""
        return np.diff(self.offsets)

    @property
    def queries(self) -> npt.NDArray[np.int64]:
        """``int64[m]``: the query that each entry belongs to."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def of(self, query: int) -> Codes:
        """The items of one query."""
        return self.items[self.offsets[query] : self.offsets[query + 1]]

    @classmethod
    def of_pairs(cls, queries: npt.NDArray[np.integer], items: npt.NDArray[np.integer], size: int) -> Self:
        """Sets out of (query, item) pairs, which may repeat; entries of query or item −1 are left out."""
        keep = (queries >= 0) & (items >= 0)
        pairs = np.unique(queries[keep].astype(np.int64) << 32 | items[keep].astype(np.int64))
        counts = np.bincount(pairs >> 32, minlength=size)
        return cls(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), (pairs & 0xFFFFFFFF).astype(np.int32)
        )

    def less(self, other: "ItemSets") -> "ItemSets":
        """What is in these sets and not in the others, query by query."""
        mine = self.queries << 32 | self.items
        theirs = other.queries << 32 | other.items
        keep = ~np.isin(mine, theirs)
        return ItemSets.of_pairs(self.queries[keep], self.items[keep], len(self))

    def within(self, allowed: npt.NDArray[np.bool_]) -> "ItemSets":
        """What is in these sets and allowed by ``bool[n]`` over all items."""
        keep = allowed[self.items]
        return ItemSets.of_pairs(self.queries[keep], self.items[keep], len(self))

    def take(self, queries: npt.NDArray[np.intp]) -> "ItemSets":
        """The sets of some queries."""
        place = np.full(len(self), -1, np.int64)
        place[queries] = np.arange(len(queries))
        return ItemSets.of_pairs(place[self.queries], self.items, len(queries))


@dataclass(frozen=True, slots=True)
class Lists:
    """The ranked list of each of q queries, best first, at most k long.

    Attributes:
        items: ``int32[q, k]`` codes; −1 behind the end of a shorter list.
        scores: ``float32[q, k]``; NaN there.
    """

    items: Codes
    scores: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.items)

    def take(self, queries: npt.NDArray[np.intp]) -> "Lists":
        """The lists of some queries."""
        return Lists(self.items[queries], self.scores[queries])

    @classmethod
    def of(cls, rows: Sequence[tuple[Codes, npt.NDArray[np.float32]]], k: int) -> Self:
        """Lists out of (items, scores), best first, of each query."""
        items = np.full((len(rows), k), -1, np.int32)
        scores = np.full((len(rows), k), np.nan, np.float32)
        for query, (codes, values) in enumerate(rows):
            m = min(len(codes), k)
            items[query, :m], scores[query, :m] = codes[:m], values[:m]
        return cls(items, scores)

    @classmethod
    def top(
        cls,
        scores: npt.NDArray[np.floating],
        ties: npt.NDArray[np.uint64],
        k: int,
        forbidden: ItemSets | None = None,
    ) -> Self:
        """The k best items of each query.

        Only scores above zero count as found: a method that knows nothing of an item has not retrieved it, and
        what it leaves open is never decided by the order of the items. Equal scores go by ``ties``.

        Args:
            scores: ``float[q, n]``, changed where items are forbidden.
            ties: ``uint64[n]``.
            k: How many.
            forbidden: Items that a query must not get.
        """
        if forbidden is not None:
            scores[forbidden.queries, forbidden.items] = 0
        if scores.shape[1] > k:
            # What is below the k-th best score cannot be in the list; equals of it can.
            floor = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k]
            query, item = np.nonzero((scores >= floor[:, None]) & (scores > 0))
        else:
            query, item = np.nonzero(scores > 0)
        value = scores[query, item]
        order = np.lexsort((ties[item], -value, query))
        query, item, value = query[order], item[order], value[order]
        starts = np.searchsorted(query, np.arange(len(scores)))
        rank = np.arange(len(query)) - starts[query]
        shown = rank < k
        lists = cls(np.full((len(scores), k), -1, np.int32), np.full((len(scores), k), np.nan, np.float32))
        lists.items[query[shown], rank[shown]] = item[shown]
        lists.scores[query[shown], rank[shown]] = value[shown]
        return lists
