"""Lines as SVG: labels stand at their ends, numbers appear under the pointer."""

import math
from collections.abc import Sequence

from vitrine_export.evaluate.page.axes import Scale, spread, ticks, whole
from vitrine_export.evaluate.page.html import Html, el, join
from vitrine_export.evaluate.page.parts import Kind, Plot, Series
from vitrine_export.evaluate.page.words import cut, figure, short

# About as wide as a phone, so that letters are there as large as they are meant.
WIDTH, HEIGHT = 350, 250
_LEFT, _RIGHT, _TOP = 38, 110, 12
_LABEL_GAP, _LABEL_COLUMNS = 12.5, 19
# Grey lines are told apart by their dashes, too.
_DASHES = ("", "5 3", "1.5 3", "8 3 1.5 3", "3 2", "10 4")


def bounds(plots: Sequence[Plot]) -> tuple[float, float]:
    """The lowest and the highest value of some plots."""
    values = [
        v for plot in plots for s in plot.series for v in (*s.values, *s.high, *s.low) if math.isfinite(v)
    ]
    lowest, highest = min(values, default=0.0), max(values, default=1.0)
    return (min(0.0, lowest) if any(plot.zero for plot in plots) else lowest), highest


def draw(plot: Plot, limits: tuple[float, float]) -> Html:
    """A plot.

    Args:
        plot: The plot.
        limits: Lowest and highest value of the upright axis, at least.
    """
    marks = ticks(*limits)
    y = Scale(marks[0], marks[-1], _bottom(plot), _TOP)
    # Names at the ends take room, where there are any.
    right = _RIGHT if any(s.name for s in plot.series) else _LEFT / 2
    x = Scale(plot.xs[0], plot.xs[-1], _LEFT + 6, WIDTH - right)
    # The pipeline last: above the others.
    order = sorted(plot.series, key=lambda s: s.kind is Kind.PIPELINE)
    others = [s.name for s in order if s.kind is not Kind.PIPELINE]
    drawn = (
        _series(s, plot, x, y, _DASHES[others.index(s.name) % 6] if s.name in others else "") for s in order
    )
    return el(
        "svg",
        _grid(marks, x, y),
        _places(plot, x),
        _mark(plot, x),
        drawn,
        _labels(order, y),
        class_="plot",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{plot.title} by {plot.x_label}: " + ", ".join(s.name for s in plot.series),
    )


def _grid(marks: Sequence[float], x: Scale, y: Scale) -> Html:
    return join(
        (
            el("line", class_="rule", x1=_LEFT, x2=round(x.end, 1), y1=_n(y(m)), y2=_n(y(m))),
            el("text", short(m), class_="tick", x=_LEFT - 5, y=_n(y(m) + 3.5), text_anchor="end"),
        )
        for m in marks
    )


def _places(plot: Plot, x: Scale) -> Html:
    """Names of places, what stands behind them, and what the axis is."""
    top = _bottom(plot) + 15
    shown = list(plot.xs) if plot.names else whole(plot.xs)
    parts = []
    for place in shown:
        at = plot.xs.index(place)
        name = plot.names[at] if plot.names else short(place)
        parts.append(el("text", name, class_="tick", x=_n(x(place)), y=top, text_anchor="middle"))
        if plot.counts:
            count = el(
                "text", plot.counts[at], class_="tick faint", x=_n(x(place)), y=top + 13, text_anchor="middle"
            )
            parts.append(count)
    middle = (x.start + x.end) / 2
    parts.append(el("text", plot.x_label, class_="axis", x=_n(middle), y=HEIGHT - 6, text_anchor="middle"))
    return join(parts)


def _mark(plot: Plot, x: Scale) -> Html | None:
    if plot.mark is None:
        return None
    at = _n(x(plot.mark))
    line = el("line", class_="kept", x1=at, x2=at, y1=_TOP, y2=_bottom(plot))
    return join(
        [line, el("text", plot.mark_name, class_="tick faint", x=at, y=_TOP - 3, text_anchor="middle")]
    )


def _series(series: Series, plot: Plot, x: Scale, y: Scale, dashes: str) -> Html:
    points = [(x(at), y(v), at, v) for at, v in zip(plot.xs, series.values, strict=True) if math.isfinite(v)]
    names = dict(zip(plot.xs, plot.names, strict=True)) if plot.names else {}
    dots = (
        el(
            "circle",
            el("title", f"{series.name}, {plot.x_label} {names.get(at, short(at))}: {figure(value)}"),
            cx=_n(px),
            cy=_n(py),
            r=5,
        )
        for px, py, at, value in points
    )
    path = " ".join(f"{_n(px)},{_n(py)}" for px, py, _, _ in points)
    line = el("polyline", points=path, stroke_dasharray=dashes or None) if len(points) > 1 else None
    return el(
        "g", _band(series, plot, x, y), line, dots, class_=f"series {series.kind}" + ("" if line else " lone")
    )


def _band(series: Series, plot: Plot, x: Scale, y: Scale) -> Html | None:
    if not series.low or not series.high:
        return None
    edges = [e for e in zip(plot.xs, series.low, series.high, strict=True) if all(map(math.isfinite, e))]
    there = [f"{_n(x(at))},{_n(y(high))}" for at, _, high in edges]
    back = [f"{_n(x(at))},{_n(y(low))}" for at, low, _ in reversed(edges)]
    return el("polygon", points=" ".join(there + back), class_="band")


def _labels(order: Sequence[Series], y: Scale) -> Html:
    """The names at the ends of the lines, moved apart where they would touch."""
    # The pipeline on top of those that end where it does.
    ends = [(s, [v for v in s.values if math.isfinite(v)]) for s in reversed(order)]
    found = [(s, y(values[-1])) for s, values in ends if values]
    places = spread([at for _, at in found], _LABEL_GAP, _TOP, y.start)
    left = WIDTH - _RIGHT
    return join(
        (
            el("line", class_="lead", x1=left + 2, y1=_n(end), x2=left + 8, y2=_n(at)),
            el(
                "text",
                el("title", s.name),
                cut(s.name, _LABEL_COLUMNS),
                class_=f"label {s.kind}",
                x=left + 10,
                y=_n(at + 3.5),
            ),
        )
        for (s, end), at in zip(found, places, strict=True)
    )


def _bottom(plot: Plot) -> int:
    """Where the upright axis begins: above names, counts and what the axis is."""
    return HEIGHT - (50 if plot.counts else 36)


def _n(value: float) -> str:
    """A coordinate, as short as it may be."""
    return f"{value:.1f}".removesuffix(".0")
