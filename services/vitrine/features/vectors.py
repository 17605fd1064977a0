"""Vectors of a batch's candidates, gathered once: rankers and feature columns read the same ones."""

import threading
from typing import NamedTuple
from weakref import ref

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.content.model import Vectors
from vitrine.plugin import Batch

Rows = npt.NDArray[np.int32]


class Gathered(NamedTuple):
    """Vectors of n candidates, read-only.

    Attributes:
        vectors: ``float32[n, d]``, zero where there is none.
        blank: ``int64[k]``, the candidates whose vector is zero, ascending.
    """

    vectors: Vectors
    blank: npt.NDArray[np.int64]


class _Latest(threading.local):
    """What this thread gathered last; the rows are held, so that no other array can be taken for them."""

    def __init__(self) -> None:
        self.rows: Rows | None = None
        self.bundle: ref[AttachedBundle] | None = None
        self.found: dict[str, Gathered] = {}


_latest = _Latest()


def content_of(batch: Batch, bundle: AttachedBundle) -> Gathered | None:
    """Content vectors of the candidates; ``None`` where the bundle has none."""
    return _kept(batch, bundle, "content")


def interest_of(batch: Batch, bundle: AttachedBundle) -> Gathered | None:
    """Vectors of the interest model; ``None`` where the bundle has none."""
    return _kept(batch, bundle, "interest")


def gather(table: Vectors, rows: Rows) -> Vectors:
    """``float32[m, d]``: some rows of a table of vectors; zero for −1, and for what is newer than the table."""
    if not len(table):
        return np.zeros((len(rows), table.shape[1]), np.float32)
    unknown = ((rows < 0) | (rows >= len(table))).nonzero()[0]
    if not len(unknown):
        return table.take(rows, axis=0)
    vectors = table.take(rows, axis=0, mode="clip")
    vectors[unknown] = 0
    return vectors


def _kept(batch: Batch, bundle: AttachedBundle, kind: str) -> Gathered | None:
    rows, latest = batch.items.rows, _latest
    if latest.rows is not rows or latest.bundle is None or latest.bundle() is not bundle:
        latest.rows, latest.bundle, latest.found = rows, ref(bundle), {}
    found = latest.found.get(kind)
    if found is None:
        table = bundle.content if kind == "content" else bundle.interest_vectors
        if table is None:
            return None
        vectors = gather(table, rows)
        # The first number is seldom exactly zero: few vectors have to be looked at whole.
        odd = (vectors[:, 0] == 0).nonzero()[0]
        vectors.flags.writeable = False
        found = latest.found[kind] = Gathered(vectors, odd[~vectors.take(odd, axis=0).any(axis=1)])
    return found
