"""What stands behind a table: lists, and what they say with their intervals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.bootstrap import Interval, intervals
from vitrine_export.evaluate.classification import Classification
from vitrine_export.evaluate.lists import Lists
from vitrine_export.evaluate.metrics import PerQuery, measure
from vitrine_export.evaluate.page.chapters import People
from vitrine_export.evaluate.page.compose.kinds import SOURCE, WITHOUT, kind_of, parts_in
from vitrine_export.evaluate.page.compose.tables import standing_of
from vitrine_export.evaluate.page.parts import Entry, Gap, Kind, Standing
from vitrine_export.evaluate.report import PIPELINE, Table
from vitrine_export.evaluate.temporal import Queries

Values = Mapping[str, Mapping[str, PerQuery]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind one table.

    Attributes:
        key: Of the table.
        queries: The q questions.
        methods: Lists of the pipeline, of baselines and of parts of the pipeline.
        measures: What papers report, the first of which decides; named like ``ndcg@20``.
        taken: ``[n]``, how often each item was taken before, by code.
        parts: Names of the rankers among the methods.
        users: ``int[q]``, a number for the user of each query; ``None`` where each is a user of its own.
        people: Some of those who asked.
        lists: Measures of whole lists by method (`beyond.describe`).
        classification: The classification view by method.
        published: Entries of kind PUBLISHED.
    """

    key: str
    queries: Queries
    methods: Mapping[str, Lists]
    measures: Sequence[str]
    taken: npt.NDArray[np.integer]
    parts: Collection[str] = ()
    users: npt.NDArray[np.integer] | None = None
    people: People | None = None
    lists: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    classification: Mapping[str, Classification] = field(default_factory=dict)
    published: Sequence[Entry] = ()


def values_of(one: Evidence) -> dict[str, dict[str, PerQuery]]:
    """The measures of each method, one number a query."""
    names = list(dict.fromkeys(m.partition("@")[0] for m in one.measures))
    cuts = sorted({int(m.partition("@")[2]) for m in one.measures})
    found = {name: measure(lists, one.queries.targets, cuts, names) for name, lists in one.methods.items()}
    return {name: {m: values[m] for m in one.measures} for name, values in found.items()}


def standing_behind(table: Table, one: Evidence | None, values: Values, seed: int) -> Standing:
    """Who stands where, with intervals of all means and of the differences to every other method, from the same draws.

    Args:
        table: Of the report.
        one: What stands behind it, if anything.
        values: As `values_of` answers them.
        seed: Decides what the bootstrap draws.
    """
    if one is None:
        return standing_of(table)
    known = parts_in(values) | set(one.parts) | set(table.rankers)
    shown = [name for name in values if kind_of(name, known) is not Kind.PART]
    others = [name for name in shown if name != PIPELINE]
    rankers = [n for n in values if kind_of(n, known) is Kind.PART and not n.startswith((WITHOUT, SOURCE))]
    if rankers and PIPELINE in values:
        others.append(max(rankers, key=lambda n: float(values[n][one.measures[0]].mean())))
    columns = {(name, "", m): values[name][m] for name in shown for m in one.measures}
    if PIPELINE in values:
        columns |= {
            (PIPELINE, name, m): values[PIPELINE][m] - values[name][m]
            for m in one.measures
            for name in others
        }
    sure = dict(zip(columns, sure_of(list(columns.values()), seed, one.users), strict=True))
    means: dict[str, dict[str, Interval]] = {}
    gaps = []
    for (name, other, m), found in sure.items():
        if not other:
            means.setdefault(name, {})[m] = found
            continue
        base = float(values[other][m].mean())
        label = f"{other} alone" if other in known else other
        gaps.append(
            Gap(label, m, found.mean, found.low, found.high, found.mean / base if base else float("nan"))
        )
    made = standing_of(table, measures=one.measures, intervals=means, published=one.published, parts=known)
    return replace(made, gaps=sorted(gaps, key=lambda gap: (one.measures.index(gap.measure), gap.mean)))


def sure_of(columns: list[PerQuery], seed: int, users: npt.NDArray[np.integer] | None) -> list[Interval]:
    """The means of columns over queries, with intervals from the same draws."""
    return list(intervals({str(i): column for i, column in enumerate(columns)}, seed, users).values())
