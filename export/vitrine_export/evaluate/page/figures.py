"""Plots beside each other, with their numbers folded away below."""

from vitrine_export.evaluate.page.html import Html, el, join
from vitrine_export.evaluate.page.parts import Figure, Kind, Plot
from vitrine_export.evaluate.page.plot import bounds, draw
from vitrine_export.evaluate.page.words import figure as told
from vitrine_export.evaluate.page.words import short


def figure(of: Figure) -> Html:
    """A section."""
    together = bounds(of.plots)
    drawn = (
        el("figure", el("h4", plot.title), draw(plot, together if of.shared else bounds([plot])))
        for plot in of.plots
    )
    numbers = (_numbers(plot) for plot in of.plots)
    return join(
        [
            el("h3", of.title),
            el("p", of.how, class_="how"),
            el("div", drawn, class_="plots"),
            el("p", of.note, class_="note") if of.note else None,
            el("details", el("summary", "The numbers"), numbers),
        ]
    )


def _numbers(plot: Plot) -> Html:
    names = plot.names or [short(x) for x in plot.xs]
    # Of a long axis every so many places are enough to read.
    step = max(1, -(-len(names) // 25))
    some = sorted({*range(0, len(names), step), len(names) - 1})
    head = el(
        "tr", el("th", plot.x_label, scope="col"), (el("th", names[i], class_="n", scope="col") for i in some)
    )
    counts = (
        el("tr", el("td", "behind it"), (el("td", plot.counts[i], class_="n") for i in some))
        if plot.counts
        else None
    )
    rows = (
        el(
            "tr",
            el("td", series.name),
            (el("td", told(series.values[i]), class_="n") for i in some),
            class_="mine" if series.kind is Kind.PIPELINE else None,
        )
        for series in plot.series
    )
    table = el("table", el("thead", head), el("tbody", counts, rows), class_="grid")
    return join([el("h4", plot.title, style="margin-top:.8rem"), el("div", table, class_="wide", tabindex=0)])
