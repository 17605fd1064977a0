"""Bars below each other, and small tables of figures."""

import math
from collections.abc import Sequence

from vitrine_export.evaluate.page.html import Html, el, join, titled
from vitrine_export.evaluate.page.parts import Bar, Bars, Entry, Grid, Kind
from vitrine_export.evaluate.page.tables import bar
from vitrine_export.evaluate.page.words import figure, named, signed

# From here on two places are enough.
_LARGE = 2


def bars(of: Bars) -> Html:
    """A section of bars."""
    begin, end = _reach(of)
    rows = []
    block = ""
    for row in of.rows:
        if row.block != block:
            block = row.block
            rows.append(el("span", block, class_="block"))
        rows.append(_row(row, of, begin, end))
    base = None
    if of.base is not None:
        base = el("p", f"The upright rule is {of.base_name} ({figure(of.base)}).", class_="note")
    return join(
        [
            el("h3", of.title),
            el("p", of.how, class_="how"),
            el("div", rows, class_="bars"),
            base,
            el("p", of.note, class_="note") if of.note else None,
        ]
    )


def grid(of: Grid) -> Html:
    """A section with a small table: what each column means stands below its name."""
    head = el(
        "tr",
        el("th", "method", scope="col"),
        (
            el("th", named(m), el("span", told, class_="sub"), scope="col", class_="n")
            for m, told in of.columns
        ),
    )
    rows = (
        el(
            "tr",
            el("td", titled(entry.method, class_="name")),
            (_cell(entry, measure) for measure, _ in of.columns),
            class_="mine" if entry.kind is Kind.PIPELINE else None,
        )
        for entry in of.rows
    )
    table = el("table", el("thead", head), el("tbody", rows), class_="grid")
    return join(
        [
            el("h3", of.title),
            el("p", of.how, class_="how"),
            el("div", table, class_="wide", tabindex=0),
            el("p", of.note, class_="note") if of.note else None,
        ]
    )


def _cell(entry: Entry, measure: str) -> Html:
    value = entry.values.get(measure, math.nan)
    shown = f"{value:.2f}" if math.isfinite(value) and abs(value) >= _LARGE else figure(value)
    interval = entry.intervals.get(measure)
    sure = el("span", f"{figure(interval[0])} to {figure(interval[1])}", class_="sub") if interval else None
    return el("td", shown, sure, class_="n")


def _reach(of: Bars) -> tuple[float, float]:
    """Both ends of the axis: from 0, or as far as it takes around the base."""
    ends = [v for row in of.rows for v in (row.value, *(row.interval or ())) if math.isfinite(v)]
    if of.base is None:
        return min([0.0, *ends]), max(ends, default=1.0) or 1.0
    low, high = min([of.base, *ends]), max([of.base, *ends])
    room = (high - low) * 0.03 or 1.0
    return low - room, high + room


def _row(row: Bar, of: Bars, begin: float, end: float) -> Html:
    base = 0.0 if of.base is None else of.base
    name = el(
        "span",
        titled(row.name, class_=f"{row.kind}"),
        el("span", row.text, class_="sub") if row.text else None,
    )
    if not math.isfinite(row.value):
        return join([name, el("span", class_="bar"), el("span", "–", class_="n")])
    drawn = bar(
        row.value,
        base,
        end,
        row.interval,
        begin=begin,
        rule=of.base is not None,
        kind=Kind.PIPELINE if row.kind is Kind.PIPELINE else "",
    )
    return join([name, drawn, el("span", _told(row, of), class_="n")])


def _told(row: Bar, of: Bars) -> Sequence[Html | str]:
    if of.share:
        return [f"{100 * row.value:.1f} %"]
    if of.base is None:
        return [figure(row.value)]
    return [figure(row.value), " ", el("span", signed(row.value - of.base), class_="faint")]
