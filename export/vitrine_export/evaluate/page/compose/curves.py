"""Curves of several methods: by length of the list, by length of the history."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.bootstrap import Interval, intervals
from vitrine_export.evaluate.lists import ItemSets, Lists
from vitrine_export.evaluate.metrics import PerQuery, measure
from vitrine_export.evaluate.page.compose.kinds import drawn
from vitrine_export.evaluate.page.parts import Figure, Kind, Plot, Series
from vitrine_export.evaluate.page.words import named
from vitrine_export.evaluate.report import PIPELINE

Users = npt.NDArray[np.integer] | None
_BAND = " The shade is the 95 % interval of the pipeline."


def by_k(
    methods: Mapping[str, Lists],
    targets: ItemSets,
    k: int,
    *,
    measures: Sequence[str] = ("recall", "ndcg"),
    seed: int = 0,
    users: Users = None,
) -> Figure:
    """Measures at 1 to k.

    Args:
        methods: The lists of each method, at least k long.
        targets: What each query took.
        k: The longest list.
        measures: Names of `METRICS`.
        seed: Decides what the bootstrap draws.
        users: As for `intervals`.
    """
    ks = range(1, k + 1)
    last = {name: measure(lists, targets, [k], measures[:1]) for name, lists in methods.items()}
    shown = drawn({name: float(found[f"{measures[0]}@{k}"].mean()) for name, found in last.items()})
    values = {name: measure(methods[name], targets, ks, measures) for name in shown}
    sure = intervals(values.get(PIPELINE, {}), seed, users)
    plots = []
    for m in measures:
        keys = [f"{m}@{at}" for at in ks]
        series = [
            _series(name, [values[name][key] for key in keys], [sure.get(key) for key in keys])
            for name in shown
        ]
        plots.append(Plot(f"{named(m)}@k", [float(at) for at in ks], "k, places in the window", series))
    how = "How each measure grows with the number of places that the shop has to fill." + _BAND
    return Figure("By length of the list", how, plots, shared=True)


def by_history(
    values: Mapping[str, Mapping[str, PerQuery]],
    lengths: npt.NDArray[np.integer],
    *,
    measures: Sequence[str] = ("recall@20", "ndcg@20"),
    buckets: int = 5,
    seed: int = 0,
    users: Users = None,
) -> Figure:
    """Measures by how much is known of who asks.

    Args:
        values: ``float64[q]`` by method and measure.
        lengths: ``int[q]``, events or items in the history of each query.
        measures: Which, as far as they are there.
        buckets: How many groups of about the same size, beside that of queries without history.
        seed: Decides what the bootstrap draws.
        users: As for `intervals`.
    """
    groups = length_buckets(np.asarray(lengths), buckets)
    there = [m for m in measures if values and all(m in found for found in values.values())]
    how = (
        "Queries by how much the shop knew of who asks, in groups of about the same size (q: queries). A line that "
        "falls to the left is a method that needs a long history." + _BAND
    )
    if not there or not groups:
        return Figure("By length of the history", how, [])
    shown = drawn({name: float(found[there[0]].mean()) for name, found in values.items()})
    mine = values.get(PIPELINE, {})
    sure = [
        intervals(
            {m: mine[m][rows] for m in there if m in mine}, seed, None if users is None else users[rows]
        )
        for _, rows in groups
    ]
    plots = []
    for m in there:
        series = [
            _series(name, [values[name][m][rows] for _, rows in groups], [found.get(m) for found in sure])
            for name in shown
        ]
        xs = [float(i) for i in range(len(groups))]
        names, counts = [words for words, _ in groups], [f"{len(rows):,} q" for _, rows in groups]
        plots.append(Plot(named(m), xs, "length of the history", series, names, counts))
    return Figure("By length of the history", how, plots, shared=True)


def length_buckets(lengths: npt.NDArray[np.integer], buckets: int) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """Queries in groups of about the same size, by their length: a name ("4–9") and the rows of each; none is empty."""
    some = np.sort(lengths[lengths > 0])
    inner = np.linspace(0, 1, buckets + 1)[1:-1]
    edges = np.unique(np.quantile(some, inner, method="nearest")) if len(some) else np.empty(0)
    place = np.where(lengths > 0, 1 + np.searchsorted(edges, lengths, side="left"), 0)
    found = []
    for bucket in np.unique(place).tolist():
        rows = np.flatnonzero(place == bucket)
        low, high = int(lengths[rows].min()), int(lengths[rows].max())
        found.append((f"{low:,}" if low == high else f"{low:,}–{high:,}", rows))
    return found


def _series(name: str, columns: Sequence[PerQuery], sure: Sequence[Interval | None]) -> Series:
    """Means of columns; of the pipeline with their intervals."""
    means = [float(column.mean()) for column in columns]
    if name != PIPELINE:
        return Series(name, means)
    low = [i.low if i else math.nan for i in sure]
    high = [i.high if i else math.nan for i in sure]
    return Series(name, means, Kind.PIPELINE, low, high)
