"""Who stands where: methods below each other, a bar in each cell."""

import math
from collections.abc import Sequence

from vitrine_export.evaluate.page.html import Html, el, join, titled
from vitrine_export.evaluate.page.parts import Entry, Kind, Standing
from vitrine_export.evaluate.page.words import counted, figure, named

_HOW = (
    "Each row is a method, best first by the first measure; a bar begins at 0 and the fine line over it is the 95 % "
    "interval of the mean (bootstrap over the queries). The best figure of a column is bold."
)
_PUBLISHED = " Striped bars are published figures: taken from the source named, not computed here."


def standing(of: Standing) -> Html:
    """A table."""
    entries = ranked(of)
    how = _HOW + (_PUBLISHED if any(e.kind is Kind.PUBLISHED for e in entries) else "")
    others = [m for m in measures_in(entries) if m not in of.measures]
    return join(
        [
            el("h3", of.title),
            el("p", counted(of.queries, "query", "queries") + ". " + of.note, class_="note"),
            _table(entries, of.measures, bars=True),
            el("p", how, class_="how"),
            el(
                "details",
                el("summary", f"All measures ({len(others) + len(of.measures)})"),
                _table(
                    [e for e in entries if e.kind is not Kind.PUBLISHED], [*of.measures, *others], bars=False
                ),
            )
            if others
            else None,
        ]
    )


def ranked(of: Standing) -> list[Entry]:
    """The methods, the best by the first measure on top; those without it below."""
    first = of.measures[0] if of.measures else ""
    known = {e.method: e.values.get(first, math.nan) for e in of.entries}
    return sorted(of.entries, key=lambda e: -known[e.method] if math.isfinite(known[e.method]) else math.inf)


def measures_in(entries: Sequence[Entry]) -> list[str]:
    """Every measure of some methods."""
    return list(dict.fromkeys(m for e in entries for m in e.values))


def _table(entries: Sequence[Entry], measures: Sequence[str], *, bars: bool) -> Html:
    tops = {m: _top(entries, m) for m in measures}
    head = el("tr", el("th", "method", scope="col"), (el("th", named(m), scope="col") for m in measures))
    rows = (
        el(
            "tr",
            el(
                "td",
                titled(e.method, class_="name"),
                el("span", e.citation, class_="sub") if e.citation and bars else None,
                el("span", e.detail, class_="sub") if e.detail and bars else None,
            ),
            (_cell(e, m, tops[m], bars=bars) for m in measures),
            class_=f"{e.kind}" + (" mine" if e.kind is Kind.PIPELINE else ""),
        )
        for e in entries
    )
    table = el("table", el("thead", head), el("tbody", rows), class_="rank" if bars else "grid")
    return el("div", table, class_="wide", tabindex=0)


def _top(entries: Sequence[Entry], measure: str) -> tuple[float, float]:
    """The best mean, and how far the longest bar with its interval reaches."""
    means = [v for e in entries if math.isfinite(v := e.values.get(measure, math.nan))]
    ends = [e.intervals[measure][1] for e in entries if measure in e.intervals]
    return max(means, default=math.nan), max(
        [*means, *(v for v in ends if math.isfinite(v))], default=1.0
    ) or 1.0


def _cell(entry: Entry, measure: str, top: tuple[float, float], *, bars: bool) -> Html:
    value = entry.values.get(measure, math.nan)
    shown = el("span", figure(value), class_="best" if value == top[0] else None)
    if not bars:
        return el("td", shown)
    if not math.isfinite(value):
        return el("td", shown, class_="value")
    interval = entry.intervals.get(measure)
    told = f"95 % interval {figure(interval[0])} to {figure(interval[1])}" if interval else None
    return el("td", shown, bar(value, 0.0, top[1], interval), class_="value", title=told)


def bar(
    value: float,
    base: float,
    end: float,
    interval: tuple[float, float] | None = None,
    *,
    begin: float = 0.0,
    rule: bool = False,
    kind: str = "",
) -> Html:
    """A bar from ``base`` to ``value`` on an axis from ``begin`` to ``end``, with whiskers and a rule at the base."""

    def at(place: float) -> float:
        return 100 * min(max((place - begin) / ((end - begin) or 1.0), 0.0), 1.0)

    low, high = sorted((at(base), at(value)))
    whisker = None
    if interval and all(map(math.isfinite, interval)):
        left, right = at(interval[0]), at(interval[1])
        whisker = el("u", style=f"left:{left:.2f}%;width:{right - left:.2f}%")
    upright = el("s", style=f"left:{at(base):.2f}%") if rule else None
    fill = el("i", style=f"left:{low:.2f}%;width:{high - low:.2f}%", class_=kind or None)
    return el("span", fill, whisker, upright, class_="bar")
