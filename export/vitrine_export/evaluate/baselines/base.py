"""What a simple method is, and what it is fitted on."""

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine_export.evaluate.lists import Sequences
from vitrine_export.evaluate.log import Log, Matrix

DAY = 86_400.0
Scores = npt.NDArray[np.floating]
Needs = Literal["", "times", "order"]


class Asked(Protocol):
    """q questions, as far as a baseline looks at them.

    Attributes:
        history: ``float64[q, n]``, how often each query took which item before.
        sequences: The same in order; ``None`` where the data have none.
    """

    @property
    def history(self) -> Matrix: ...  # noqa: D102 (see the class)

    @property
    def sequences(self) -> Sequences | None: ...  # noqa: D102


class Baseline(Protocol):
    """A simple method, fitted on what came before.

    Attributes:
        name: For tables.
        needs: What the data must have: "times"; "order" (times, or rows that stand in order); "" for neither.
    """

    name: str
    needs: Needs

    def scores(self, queries: Asked) -> Scores:
        """``float[q, n]``, 0 for an item that the method does not find; a new array, which the caller may change."""
        ...


def past_sequences(log: Log) -> Sequences:
    """What every shopper of a log took, by user code. Rows of one time are one moment where times tell anything."""
    dated = bool(len(log.time)) and bool(np.ptp(log.time) > 0)
    return Sequences.of_rows(log.user, log.item, len(log.users), log.time if dated else None)


def asked_sequences(queries: Asked, method: str) -> Sequences:
    """The sequences of the questions.

    Raises:
        ValueError: There are none, so the method cannot be asked; names it.
    """
    if queries.sequences is None:
        raise ValueError(f"'{method}' goes by order, and these queries have none; leave it out")
    return queries.sequences


def binary(history: Matrix) -> Matrix:
    """``float32[q, n]``, 1 for every item of a history."""
    taken = sp.csr_array(history, copy=True).astype(np.float32)
    taken.data[:] = 1
    return taken


def dense(product: Matrix) -> Scores:
    """A sparse product as scores."""
    return np.asarray(product.toarray())
