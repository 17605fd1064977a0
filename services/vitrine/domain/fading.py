"""What the latest events say of what comes next: each item once, the less the longer ago."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]

# How much of an item's weight is left to the one before it, where what follows it and where whole visits are asked for.
FOLLOWS_KEEP, VISITS_KEEP = 0.8, 0.7
# What came before so many items says nothing more.
MOST_ITEMS = 15


def faded(
    rows: Rows, keep: float, most: int, visit: npt.NDArray[np.bool_] | None = None
) -> tuple[Rows, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The items of some events, the latest first, each at its latest event.

    Args:
        rows: ``int32[r]``, the item of each event, oldest first; −1 for an unknown one.
        keep: Each item counts so many times as much as the item that came after it.
        most: At most so many items.
        visit: ``bool[r]``: only these events, where there are any.

    Returns:
        ``int32[h]`` known rows, ``float64[h]`` weights, the first 1, and ``int64[h]``, the event of each.
    """
    if visit is not None:
        on_visit = np.where(visit, rows, np.int32(-1))
        if len(on_visit) and on_visit.max() >= 0:
            rows = on_visit
    # A few dozen: quicker one by one than sorted by NumPy.
    latest = {row: event for event, row in enumerate(rows.tolist()) if row >= 0}
    events = np.array(sorted(latest.values(), reverse=True)[:most], np.int64)
    return rows.take(events), keep ** np.arange(len(events), dtype=np.float64), events
