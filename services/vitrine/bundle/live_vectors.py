"""Content and interest vectors of a live catalogue's items."""

import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vitrine.bundle.interest import project
from vitrine.bundle.loader import Bundle
from vitrine.bundle.near import NearIndex, like_interests, like_texts
from vitrine.content.model import Vectors
from vitrine.domain.items import Item

Rows = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]


class LiveVectors:
    """Vectors by row of the catalogue. Whoever writes holds the lock of `AttachedBundle`; readers need none.

    Attributes:
        content: ``float32[rows, dc]``: of each item's text today; looked up where that is the text of training.
        interest: ``float32[rows, d]``: of trained items as trained, whatever their text is today; of newer ones the
            projection of `content`.
        near_content: Finds among `content`.
        near_interest: Finds among `interest`.

    Args:
        bundle: The bundle.
        lock: That lock.
        background: Whether searches are made ready in threads, rather than by who writes.
    """

    def __init__(self, bundle: Bundle, lock: threading.Lock, *, background: bool = False) -> None:
        self._bundle = bundle
        self.near_content = NearIndex("content", lock, like_texts, background=background)
        self.near_interest = NearIndex("interest", lock, like_interests, background=background)
        self._hashes = np.zeros(0, np.uint64)
        interest = bundle.interest
        self.content: Vectors = np.zeros(
            (0, 0 if bundle.content is None else bundle.content.dimensions), np.float32
        )
        self.interest: Vectors = np.zeros((0, 0 if interest is None else interest.dimensions), np.float32)

    def update(
        self,
        rows: Rows,
        fresh: npt.NDArray[np.bool_],
        mine: Rows,
        hashes: Hashes,
        item: Callable[[int], Item],
    ) -> None:
        """Brings the vectors of items that are new or changed up to date.

        Args:
            rows: ``int32[m]``, their rows of the catalogue.
            fresh: ``bool[m]``, which are seen for the first time.
            mine: ``int32[m]``, their rows of the bundle, −1 for an item that is newer.
            hashes: ``uint64[m]``, of their texts (`vitrine.content.text.text_hashes`).
            item: The item of a row of the catalogue.
        """
        model = self._bundle.interest
        trained = mine >= 0
        if model is not None:
            first = trained & fresh
            self.near_interest.changing(rows[first])
            _copy(self.interest, rows[first], model.vectors, mine[first])
        if self._bundle.content is None:
            return
        changed = self._update_content(rows, fresh, mine, hashes, item)
        if model is not None:
            newer = rows[changed & ~trained]
            self.near_interest.changing(newer)
            self.interest[newer] = project(self.content[newer], model)

    def reserve(self, extra: int) -> None:
        """Makes room for so many more rows. New arrays replace the old ones, whose readers go on undisturbed."""
        self._hashes = np.concatenate((self._hashes, np.zeros(extra, np.uint64)))
        self.content = _longer(self.content, extra)
        self.interest = _longer(self.interest, extra)

    def _update_content(
        self,
        rows: Rows,
        fresh: npt.NDArray[np.bool_],
        mine: Rows,
        hashes: Hashes,
        item: Callable[[int], Item],
    ) -> npt.NDArray[np.bool_]:
        """``bool[m]``: whose text, and so perhaps whose vector, is another than before."""
        model = self._bundle.content
        if model is None:
            return np.zeros(len(rows), np.bool_)
        known = mine >= 0
        if len(self._bundle):
            known &= self._bundle.text_hashes[mine] == hashes
        changed: npt.NDArray[np.bool_] = fresh | (self._hashes[rows] != hashes)
        self.near_content.changing(rows[changed])
        looked_up, encoded = changed & known, np.flatnonzero(changed & ~known)
        _copy(self.content, rows[looked_up], model.vectors, mine[looked_up])
        if encoded.size:
            self.content[rows[encoded]] = model.encode([item(r) for r in rows[encoded].tolist()])
        self._hashes[rows] = hashes
        return changed

    def follow(self, size: int) -> None:
        """Makes searches among the first ``size`` rows quick where it is time to; the lock is not held."""
        if self._bundle.content is not None:
            self.near_content.follow(lambda: self.content[:size])
        if self._bundle.interest is not None:
            self.near_interest.follow(lambda: self.interest[:size])


def _copy(table: Vectors, rows: Rows, source: Vectors, places: Rows) -> None:
    """``table[rows] = source[places]``; ``rows`` ascend."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        # Nothing in between, as at the start: in one pass. What would be out of bounds would be so below, too.
        np.take(source, places, axis=0, out=table[rows[0] : rows[-1] + 1], mode="clip")
    else:
        table[rows] = source[places]


def _longer(vectors: Vectors, extra: int) -> Vectors:
    longer = np.zeros((len(vectors) + extra, vectors.shape[1]), np.float32)
    longer[: len(vectors)] = vectors
    return longer
