"""Which rows of a catalogue a bundle's items have, found once and remembered: to look up each id takes its time."""

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vitrine.bundle.items import Keeps
from vitrine.bundle.loader import Bundle
from vitrine.errors import VitrineError

log = logging.getLogger(__name__)

Rows = npt.NDArray[np.int32]

_NAME = "rows of the bundle"


class Numbered(Protocol):
    """A catalogue; its rows never change their item."""

    def __len__(self) -> int: ...

    def rows(self, item_ids: Sequence[str], /) -> Rows:
        """``int32[m]``, −1 for an unknown item."""
        ...


def matched(bundle: Bundle, catalog: Numbered, memory: Keeps | None) -> Rows:
    """``int32[n]``: the row of each of the bundle's items; −1 where the catalogue lacks it.

    Args:
        bundle: The bundle.
        catalog: The catalogue.
        memory: Its store, where it has one.
    """
    of = bundle.manifest.checksum.encode()
    kept = None if memory is None else memory.kept(_NAME)
    if kept is None or kept[: len(of)] != of:
        rows = np.full(len(bundle), -1, np.int32)
    else:
        rows = np.frombuffer(kept[len(of) :], "<i4").astype(np.int32)
    # Rows that are not there yet: this copy of the catalogue is behind.
    rows[rows >= len(catalog)] = -1
    missing = np.flatnonzero(rows < 0)
    if not len(missing):
        return rows
    ids = bundle.item_ids
    rows[missing] = found = catalog.rows([ids[row] for row in missing.tolist()])
    if memory is not None and (found >= 0).any():
        try:
            memory.keep(_NAME, of + rows.astype("<i4").tobytes())
        except VitrineError as error:
            log.warning("the next start will take longer: %s", error)
    return rows
