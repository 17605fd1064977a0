"""What shoppers knew and what was new to them, apart: a method that only repeats looks good where repeats are many."""

from collections.abc import Mapping

import numpy as np

from vitrine_export.evaluate.lists import ItemSets, Lists
from vitrine_export.evaluate.metrics import hits
from vitrine_export.evaluate.page.compose.kinds import drawn
from vitrine_export.evaluate.page.parts import Figure, Kind, Plot, Series
from vitrine_export.evaluate.report import PIPELINE

_TITLE = "By whether the shopper knew it"


def by_familiarity(methods: Mapping[str, Lists], targets: ItemSets, history: ItemSets, k: int) -> Figure:
    """Which share of the targets is found, of those that the shopper took before and of those that were new.

    Args:
        methods: The lists of each method.
        targets: What each query took.
        history: What it took before.
        k: How many places count.

    Returns:
        The figure; without a plot where all targets are of one sort.
    """
    entries = targets.queries << 32 | targets.items
    known = np.isin(entries, history.queries << 32 | history.items)
    sizes = [int(known.sum()), int((~known).sum())]
    if not all(sizes):
        return Figure(_TITLE, "", [])
    values = {}
    for name, lists in methods.items():
        query, rank = np.nonzero(hits(lists, targets, k))
        found = np.isin(entries, query.astype(np.int64) << 32 | lists.items[query, rank])
        values[name] = [float(found[some].mean()) for some in (known, ~known)]
    total = sum(sizes)
    overall = {n: (v[0] * sizes[0] + v[1] * sizes[1]) / total for n, v in values.items()}
    series = [
        Series(name, values[name], Kind.PIPELINE if name == PIPELINE else Kind.BASELINE)
        for name in drawn(overall)
    ]
    plot = Plot(
        f"Share of the targets found in {k} places",
        [0.0, 1.0],
        "to the shopper",
        series,
        ["known", "new"],
        [f"{size:,} targets" for size in sizes],
    )
    how = (
        f"{100 * sizes[0] / total:.0f} % of what shoppers took they had taken before. To bring that back is easy; what is "
        "new to them is what a window is for. Each target counts the same."
    )
    return Figure(_TITLE, how, [plot])
