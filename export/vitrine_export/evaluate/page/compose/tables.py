"""Tables and bars out of the tables of a report."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from vitrine_export.evaluate.bootstrap import Difference, Interval
from vitrine_export.evaluate.page.compose.kinds import SOURCE, WITHOUT, kind_of, parts_in
from vitrine_export.evaluate.page.parts import Bar, Bars, Entry, Gap, Kind, Standing
from vitrine_export.evaluate.page.words import counted, named
from vitrine_export.evaluate.report import PIPELINE, Table

_FINE = " A fine line is the 95 % interval of the paired difference."
_WORTH = (
    (
        "The pipeline without each part",
        (
            "The further a bar reaches to the left, the more the part is missed. Nothing is trained again: this is what a "
            "shop gets where the part is gone."
        ),
        True,
    ),
    (
        "Each part alone",
        (
            "Rankers order the candidates of all sources by themselves, sources show what they found. Where no bar reaches "
            "to the right of the rule, the whole is at least as good as its best part."
        ),
        False,
    ),
)


def standing_of(
    table: Table,
    *,
    measures: Sequence[str] = (),
    intervals: Mapping[str, Mapping[str, Interval]] | None = None,
    published: Sequence[Entry] = (),
    details: Mapping[str, str] | None = None,
    parts: Collection[str] = (),
) -> Standing:
    """Who stands where: the pipeline, the baselines, published figures. Parts of the pipeline are `ablation_of`'s.

    Args:
        table: Of the report.
        measures: Those that matter, the first decides the order; the table's main ones unless told.
        intervals: Of means, by method and measure; those of the table's rows unless told.
        published: Entries of kind PUBLISHED; the table's unless told.
        details: What else is to be known of a method, in a few words.
        parts: Names of rankers, beside the table's.
    """
    known = parts_in(row.method for row in table.rows) | set(table.rankers) | set(parts)
    entries = []
    for row in table.rows:
        kind = kind_of(row.method, known)
        if kind is not Kind.PART:
            found = (intervals or {}).get(row.method, {})
            sure = {m: (i.low, i.high) for m, i in found.items()} or row.intervals
            entries.append(
                Entry(row.method, row.values, kind, sure, detail=(details or {}).get(row.method, ""))
            )
    others = published or [Entry(row.method, row.values, Kind.PUBLISHED) for row in table.published]
    wanted = list(measures) or list(table.main[:2]) or _first(table.measures)
    gaps = [
        Gap(
            c.against,
            c.measure,
            c.difference.mean,
            c.difference.low,
            c.difference.high,
            c.difference.relative,
        )
        for c in table.comparisons
        if c.method == PIPELINE
    ]
    shown = [
        replace(gap, against=f"{gap.against} alone") if gap.against in known else gap
        for m in wanted
        for gap in gaps
        if gap.measure == m
    ]
    return Standing(table.title, table.queries, [*entries, *others], wanted, shown, table.note)


def ablation_of(
    table: Table,
    measure: str,
    *,
    differences: Mapping[str, Difference] | None = None,
    parts: Collection[str] = (),
) -> list[Bars]:
    """What each part is worth: the pipeline without it, and it alone, beside the pipeline.

    Args:
        table: Of the report, with rows as `serving.alone` and `serving.ablated` name them.
        measure: Which.
        differences: Of a row's method to the pipeline (method − pipeline), where they were measured.
        parts: As for `standing_of`.

    Returns:
        Bars of the pipeline without each part, and of each part alone, as far as the table has them.
    """
    values = {row.method: row.values.get(measure, math.nan) for row in table.rows}
    known = parts_in(values) | set(table.rankers) | set(parts)
    base = values.get(PIPELINE, math.nan)
    if not math.isfinite(base):
        return []
    found = []
    for title, words, begins in _WORTH:
        chosen = [m for m in values if kind_of(m, known) is Kind.PART and m.startswith(WITHOUT) == begins]
        # What is missed most, or does best alone, first.
        chosen.sort(key=lambda m: values[m] if begins else -values[m])
        rows = []
        for method in chosen:
            gap = (differences or {}).get(method)
            interval = None if gap is None else (base + gap.low, base + gap.high)
            rows.append(Bar(_words(method), values[method], interval=interval))
        if rows:
            note = f"{table.title}, {counted(table.queries, 'query', 'queries')}."
            how = words + _FINE if any(row.interval for row in rows) else words
            found.append(Bars(f"{title}: {named(measure)}", how, rows, base, "the whole pipeline", note=note))
    return found


def _first(measures: Sequence[str]) -> list[str]:
    """The first two measures at the largest k."""
    cuts = {m: int(m.partition("@")[2] or 0) for m in measures}
    return [m for m in measures if cuts[m] == max(cuts.values())][:2]


def _words(method: str) -> str:
    name = method.removeprefix(WITHOUT)
    return f"source {name.removeprefix(SOURCE)}" if name.startswith(SOURCE) else name
