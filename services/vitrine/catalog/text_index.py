"""Free-text search over the catalogue: BM25 on columns that come from SQLite's full-text index word by word."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import Mask, Rows
from vitrine.catalog.documents import Document
from vitrine.content.tokens import tokens

Weights = npt.NDArray[np.float32]

# Robertson & Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond", equation 3.15, with the
# idf of Lucene, which cannot become negative, and word counts weighted by field (their section 3.6).
_K1 = 1.2
_B = 0.75
_MAX_WORDS = 32


class Found(NamedTuple):
    """``int32[k]`` rows in ascending order and their ``float32[k]`` BM25 scores; whether all words were there."""

    rows: Rows
    scores: Weights
    all_words: bool


class _Posting(NamedTuple):
    rows: Rows
    weights: Weights


class TextIndex:
    """Searches items by row.

    The postings of a word are read from the store when it is first asked for and then kept as columns, up to a
    bound, the least recently used leaving first; a changed item makes its words be read again.
    """

    def __init__(self, postings: Callable[[str], tuple[Rows, Weights]], max_cached: int = 4_000_000) -> None:
        self._read = postings
        self._max_cached = max_cached
        self._cached = 0
        self._postings: OrderedDict[str, _Posting] = OrderedDict()
        self._generation = 0
        self._lock = Lock()
        self._lengths = np.zeros(1024, np.float32)
        self._size = 0
        self._total = 0

    def set_lengths(self, start: int, lengths: Sequence[int] | Rows) -> None:
        """Tells how many words the items from row ``start`` on have."""
        counts = np.asarray(lengths, np.int64)
        with self._lock:
            self._reserve(start + len(counts))
            self._lengths[start : start + len(counts)] = counts
            self._total += int(counts.sum())

    def lengths(self, start: int, end: int) -> Weights:
        """``float32[end - start]``: how many words those items have."""
        return self._lengths[start:end]

    def update(self, texts: Mapping[int, tuple[Document, Document]]) -> None:
        """Tells, after they were stored, of items by row whose words changed from the first to the second."""
        with self._lock:
            if texts:
                self._reserve(max(texts) + 1)
            self._generation += 1
            for row, (old, new) in texts.items():
                self._lengths[row] = new.length
                self._total += new.length - old.length
                for word in old.words() | new.words():
                    if (posting := self._postings.pop(word, None)) is not None:
                        self._cached -= len(posting.rows)

    def search(self, query: str, allowed: Mask) -> Found:
        """The allowed items with all words of the query or, when there are none, with any of them.

        Args:
            query: Whatever was typed; only words, letters of any script and symbols count.
            allowed: ``bool[n]`` by row.
        """
        words = list(dict.fromkeys(tokens(query)))[:_MAX_WORDS]
        postings = [self._posting(word) for word in words]
        if not postings:
            return Found(np.empty(0, np.int32), np.empty(0, np.float32), True)
        shown = [_within(p, allowed) for p in postings]
        rarest, *others = sorted((p.rows for p in shown), key=len)
        rows = rarest
        for other in others:
            rows = rows[_positions(other, rows, len(allowed)) >= 0]
        all_words = len(rows) > 0
        if not all_words:
            rows = np.unique(np.concatenate([p.rows for p in shown]))
        return Found(rows, self._scores(rows, postings, shown, len(allowed)), all_words)

    def _scores(
        self, rows: Rows, postings: Iterable[_Posting], shown: Iterable[_Posting], size: int
    ) -> Weights:
        count = max(self._size, 1)
        average = max(self._total / count, 1e-9)
        penalty = np.float32(_K1 * (1 - _B)) + np.float32(_K1 * _B / average) * self._lengths[rows]
        scores = np.zeros(len(rows), np.float32)
        for posting, part in zip(postings, shown, strict=True):
            if len(part.rows):
                at = _positions(part.rows, rows, size)
                weight = part.weights[at] * (at >= 0)
                n = len(posting.rows)
                idf = np.float32(np.log1p((count - n + 0.5) / (n + 0.5)) * (_K1 + 1))
                scores += idf * weight / (weight + penalty)
        return scores

    def _posting(self, word: str) -> _Posting:
        with self._lock:
            posting = self._postings.get(word)
            if posting is not None:
                self._postings.move_to_end(word)
                return posting
            generation = self._generation
        posting = _Posting(*self._read(word))
        with self._lock:
            # What was read before a change must not outlive it.
            if generation == self._generation and word not in self._postings:
                self._postings[word] = posting
                self._cached += len(posting.rows)
                while self._cached > self._max_cached:
                    _, oldest = self._postings.popitem(last=False)
                    self._cached -= len(oldest.rows)
        return posting

    def _reserve(self, size: int) -> None:
        if size > len(self._lengths):
            self._lengths = np.concatenate(
                [self._lengths, np.zeros(max(size, len(self._lengths)), np.float32)]
            )
        self._size = max(self._size, size)


def _within(posting: _Posting, allowed: Mask) -> _Posting:
    # Items that came after `allowed` was computed have higher rows.
    end = np.searchsorted(posting.rows, len(allowed))
    rows = posting.rows[:end]
    keep = allowed[rows]
    return (
        posting
        if end == len(posting.rows) and keep.all()
        else _Posting(rows[keep], posting.weights[:end][keep])
    )


def _positions(rows: Rows, wanted: Rows, size: int) -> Rows:
    """``int32[k]``: where k wanted rows stand among ascending rows below ``size``; −1 where they do not."""
    if len(rows) == 0 or len(wanted) * 64 < size:
        at = np.minimum(np.searchsorted(rows, wanted), max(len(rows) - 1, 0)).astype(np.int32)
        return (
            np.where(rows[at] == wanted, at, np.int32(-1))
            if len(rows)
            else np.full(len(wanted), -1, np.int32)
        )
    # Many are wanted: a table of all rows is quicker than many searches.
    table = np.full(size, -1, np.int32)
    table[rows] = np.arange(len(rows), dtype=np.int32)
    return table[wanted]
