"""What a chapter says first: the figure, and how far it is ahead."""

import math
from dataclasses import dataclass

from vitrine_export.evaluate.page.chapters import Chapter
from vitrine_export.evaluate.page.gaps import verdict
from vitrine_export.evaluate.page.html import Html, el, join
from vitrine_export.evaluate.page.parts import Entry, Kind, Standing
from vitrine_export.evaluate.page.words import figure, named, percent


@dataclass(frozen=True, slots=True)
class Best:
    """The pipeline in one measure, and the best of the others; ``None`` for none."""

    measure: str
    mine: Entry | None
    baseline: Entry | None
    published: Entry | None


def best(of: Standing, measure: str) -> Best:
    """Who is best in a measure, by kind."""

    def top(kind: Kind) -> Entry | None:
        known = [e for e in of.entries if e.kind is kind and math.isfinite(e.values.get(measure, math.nan))]
        return max(known, key=lambda e: e.values[measure], default=None)

    return Best(measure, top(Kind.PIPELINE), top(Kind.BASELINE), top(Kind.PUBLISHED))


def ahead(mine: Entry, other: Entry, measure: str) -> float:
    """How far one is ahead of another, as a share of the other; NaN where that is 0."""
    base = other.values[measure]
    return mine.values[measure] / base - 1 if base else math.nan


def by_chance(of: Standing, other: Entry, measure: str) -> bool:
    """Whether the pipeline was compared with a method, and its interval holds 0."""
    return any(g.against == other.method and g.measure == measure and g.low <= 0 <= g.high for g in of.gaps)


def sentence(chapter: Chapter) -> str:
    """The headline."""
    if not chapter.standings or not chapter.standings[0].measures:
        return "Nothing was measured."
    first = chapter.standings[0]
    found = best(first, first.measures[0])
    if found.mine is None:
        return "The pipeline was not measured."
    name = named(found.measure)
    said = f"{name} {figure(found.mine.values[found.measure])}"
    parts = []
    for other, what in (
        (found.baseline, "the best baseline here"),
        (found.published, "the best published figure"),
    ):
        if other is not None:
            size = percent(ahead(found.mine, other, found.measure))
            chance = ", which chance may explain" if by_chance(first, other, found.measure) else ""
            parts.append(f"{size} on {other.method}, {what}{chance}")
    return said + (": " + "; ".join(parts) if parts else "") + "."


def opening(chapter: Chapter) -> Html:
    """Sentence, tiles and notes."""
    said = verdict(chapter.standings[0].gaps) if chapter.standings and chapter.standings[0].gaps else ""
    return join(
        [
            el("p", sentence(chapter), class_="lead"),
            el("p", chapter.told, class_="dim"),
            el("div", tiles, class_="tiles") if (tiles := _tiles(chapter)) else None,
            el("p", said) if said else None,
            (el("p", note, class_="note") for note in chapter.notes),
        ]
    )


def _tiles(chapter: Chapter) -> list[Html]:
    found = []
    for standing in chapter.standings[:1]:
        for measure in standing.measures[:2]:
            top = best(standing, measure)
            if top.mine is not None:
                interval = top.mine.intervals.get(measure)
                sure = f", 95 % {figure(interval[0])} to {figure(interval[1])}" if interval else ""
                found.append(_tile(figure(top.mine.values[measure]), named(measure) + sure, mine=True))
        top = best(standing, standing.measures[0]) if standing.measures else Best("", None, None, None)
        for other, words in ((top.baseline, "the best baseline"), (top.published, "the best published")):
            if top.mine is not None and other is not None:
                size = percent(ahead(top.mine, other, top.measure))
                chance = "; chance may explain it" if by_chance(standing, other, top.measure) else ""
                found.append(_tile(size, f"{named(top.measure)} against {words}, {other.method}{chance}"))
        found.append(_tile(f"{standing.queries:,}", "queries"))
    if chapter.milliseconds > 0:
        found.append(_tile(f"{chapter.milliseconds:.1f} ms", "for one window, from profile to order"))
    return found


def _tile(value: str, words: str, *, mine: bool = False) -> Html:
    return el("div", el("b", value), el("span", words), class_="tile mine" if mine else "tile")
