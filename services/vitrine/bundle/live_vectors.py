"""Content and interest vectors of a live catalogue's items."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vitrine.bundle.interest import project
from vitrine.bundle.loader import Bundle
from vitrine.content.model import Vectors
from vitrine.content.text import text_hashes
from vitrine.domain.items import Item

Rows = npt.NDArray[np.int32]


class LiveVectors:
    """Vectors by row of the catalogue. Whoever writes holds the lock of `AttachedBundle`; readers need none.

    Attributes:
        content: ``float32[rows, dc]``: of each item's text today; looked up where that is the text of training.
        interest: ``float32[rows, d]``: of trained items as trained, whatever their text is today; of newer ones the
            projection of `content`.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._hashes = np.zeros(0, np.uint64)
        interest = bundle.interest
        self.content: Vectors = np.zeros(
            (0, 0 if bundle.content is None else bundle.content.dimensions), np.float32
        )
        self.interest: Vectors = np.zeros((0, 0 if interest is None else interest.dimensions), np.float32)

    def update(
        self, rows: Rows, fresh: npt.NDArray[np.bool_], mine: Rows, item: Callable[[int], Item]
    ) -> None:
        """Brings the vectors of items that are new or changed up to date.

        Args:
            rows: ``int32[m]``, their rows of the catalogue.
            fresh: ``bool[m]``, which are seen for the first time.
            mine: ``int32[m]``, their rows of the bundle, −1 for an item that is newer.
            item: The item of a row of the catalogue.
        """
        model = self._bundle.interest
        trained = mine >= 0
        if model is not None:
            self.interest[rows[trained & fresh]] = model.vectors[mine[trained & fresh]]
        if self._bundle.content is None:
            return
        changed = self._update_content(rows, fresh, mine, item)
        if model is not None:
            newer = rows[changed & ~trained]
            self.interest[newer] = project(self.content[newer], model)

    def reserve(self, extra: int) -> None:
        """Makes room for so many more rows. New arrays replace the old ones, whose readers go on undisturbed."""
        self._hashes = np.concatenate((self._hashes, np.zeros(extra, np.uint64)))
        self.content = _longer(self.content, extra)
        self.interest = _longer(self.interest, extra)

    def _update_content(
        self, rows: Rows, fresh: npt.NDArray[np.bool_], mine: Rows, item: Callable[[int], Item]
    ) -> npt.NDArray[np.bool_]:
        """``bool[m]``: whose text, and so perhaps whose vector, is another than before."""
        model = self._bundle.content
        if model is None:
            return np.zeros(len(rows), np.bool_)
        items = [item(r) for r in rows.tolist()]
        hashes = text_hashes(items)
        known = mine >= 0
        if len(self._bundle):
            known &= self._bundle.text_hashes[mine] == hashes
        changed: npt.NDArray[np.bool_] = fresh | (self._hashes[rows] != hashes)
        looked_up, encoded = changed & known, np.flatnonzero(changed & ~known)
        self.content[rows[looked_up]] = model.vectors[mine[looked_up]]
        if encoded.size:
            self.content[rows[encoded]] = model.encode([items[i] for i in encoded.tolist()])
        self._hashes[rows] = hashes
        return changed


def _longer(vectors: Vectors, extra: int) -> Vectors:
    return np.concatenate((vectors, np.zeros((extra, vectors.shape[1]), np.float32)))
