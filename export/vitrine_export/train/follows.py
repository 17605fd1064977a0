"""What follows what: for each item, how likely each other one comes soon after it."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine.bundle import ItemItem
from vitrine_export.train.interactions import Interactions, Matrix, half_life_seconds
from vitrine_export.train.moments import Moments
from vitrine_export.train.neighbours import top_of_sparse
from vitrine_export.train.parameters import Parameters

# What comes later than so many steps says nothing of what it follows.
STEPS = 10
# So many average events are added to what followed an item: one that was followed once is not followed for certain.
_DOUBT = 1.0
# Products of one block: bounds the memory to a few hundred megabytes.
_BLOCK = 8_000_000


def fit_follows(
    interactions: Interactions, parameters: Parameters, progress: Callable[[float], None] = lambda _: None
) -> ItemItem | None:
    """Sequential rules (Ludewig & Jannach, UMUAI 2018, section 3.1: "SR"), as probabilities or nearly so.

    ``w_ij = c_ij ÷ (s_i^e · s̄^(1−e))``, where ``c_ij`` is the sum of 1 ÷ x over the times that j came x ≤ 10 steps after
    i, ``s_i = Σ_k c_ik + doubt``, and s̄ their mean; x = 1 alone is the Markov chain (Rendle et al., WWW 2010, section
    4.1). An item may follow itself. Events with equal times are one step, on which each counts a share, and of what
    came late in the data each event counts more.

    At e = 1 (`Parameters.follows_exponent`) these are probabilities, whether much followed an item or little. Below,
    more is believed of items that more is known of: at ½, as in a cosine, half of that evidence counts. The mean keeps
    fits to more or less data alike.

    Returns:
        For each item, what follows it; ``None`` where events have no order, or nothing follows anything.
    """
    if not interactions.ordered or not len(interactions):
        return None
    moments = Moments.of(interactions, np.inf)
    items = interactions.items[moments.order]
    values = interactions.values(half_life_seconds(parameters.half_life_days))[moments.order]
    shape = (len(moments.owner), interactions.item_count)
    share = np.bincount(moments.moment)[moments.moment]
    indptr = np.searchsorted(moments.moment, np.arange(shape[0] + 1))
    after: Matrix = sp.csr_array((values / share, items, indptr), shape=shape)
    after.sum_duplicates()
    before: Matrix = sp.csr_array(
        sp.csr_array((np.ones(after.nnz), after.indices, after.indptr), shape=shape).T
    )
    doubt = _DOUBT * float(values.mean())
    exponent = parameters.follows_exponent
    parts, sums = [], []
    for start, stop in _blocks(before):
        total = _followers(before, after, moments.owner, start, stop)
        sums.append(np.asarray(total.sum(axis=1)).ravel() + doubt)
        total.data /= np.repeat(sums[-1] ** exponent, np.diff(total.indptr))
        parts.append(top_of_sparse(total, start, 2 * parameters.neighbours))
        progress(stop / shape[1])
    row, column, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not len(row):
        return None
    weight *= np.float32(np.concatenate(sums).mean() ** (exponent - 1.0))
    starts = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=shape[1]))))
    return ItemItem(starts, column, weight)


def _followers(before: Matrix, after: Matrix, owner: npt.NDArray[np.int32], start: int, stop: int) -> Matrix:
    """How often what came after the items from ``start`` to ``stop``."""
    rows = sp.csr_array(before[start:stop])
    row = np.repeat(np.arange(stop - start), np.diff(rows.indptr))
    total: Matrix = sp.csr_array((stop - start, after.shape[1]), dtype=np.float64)
    for steps in range(1, STEPS + 1):
        later = rows.indices.astype(np.int64) + steps
        kept = later < len(owner)
        kept[kept] = owner[later[kept]] == owner[rows.indices[kept]]
        # Who had no such late step has no later one.
        if not kept.any():
            break
        starts = np.concatenate(([0], np.cumsum(np.bincount(row[kept], minlength=stop - start))))
        moved = sp.csr_array((np.full(starts[-1], 1.0 / steps), later[kept], starts), shape=rows.shape)
        total = sp.csr_array(total + moved @ after)
    return total


def _blocks(before: Matrix) -> Iterator[tuple[int, int]]:
    """Runs of items whose events lead to at most about `_BLOCK` others."""
    reached = before.indptr.astype(np.int64) * STEPS
    start, n = 0, before.shape[0]
    while start < n:
        stop = int(np.searchsorted(reached, reached[start] + _BLOCK, side="right")) - 1
        stop = min(max(stop, start + 1), n)
        yield start, stop
        start = stop
