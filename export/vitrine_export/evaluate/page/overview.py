"""Several chapters in one table, each a link."""

from collections.abc import Sequence

from vitrine_export.evaluate.page.chapters import Chapter
from vitrine_export.evaluate.page.headline import ahead, best, by_chance
from vitrine_export.evaluate.page.html import Html, el
from vitrine_export.evaluate.page.parts import Entry, Standing
from vitrine_export.evaluate.page.words import figure, named, percent


def overview(chapters: Sequence[Chapter]) -> Html:
    """The first measures of each chapter's first table, beside the best baseline and the best published figure."""
    rows = [row for number, chapter in enumerate(chapters, 1) for row in _rows(chapter, f"#c{number}")]
    names = ("data, protocol", "measure", "pipeline", "best baseline", "best published", "ms a window")
    head = el("tr", (el("th", name, scope="col") for name in names))
    return el(
        "div",
        el("table", el("thead", head), el("tbody", rows), class_="grid over"),
        class_="wide",
        tabindex=0,
    )


def _rows(chapter: Chapter, link: str) -> list[Html]:
    name = el("td", el("a", chapter.title, href=link), el("span", chapter.protocol, class_="sub"))
    time = el("td", f"{chapter.milliseconds:.1f}" if chapter.milliseconds > 0 else "–", class_="n")
    if not chapter.standings or not chapter.standings[0].measures:
        return [el("tr", name, el("td", "nothing was measured", colspan=4), time)]
    first = chapter.standings[0]
    rows = []
    for place, measure in enumerate(first.measures[:2]):
        found = best(first, measure)
        mine = found.mine
        cells = [
            el("td", named(measure)),
            el("td", el("b", figure(mine.values[measure]) if mine else "–")),
            _other(first, mine, found.baseline, measure),
            _other(first, mine, found.published, measure),
        ]
        rows.append(el("tr", el("td") if place else name, cells, el("td") if place else time))
    return rows


def _other(of: Standing, mine: Entry | None, other: Entry | None, measure: str) -> Html:
    if other is None:
        return el("td", "–", class_="faint")
    gap = ahead(mine, other, measure) if mine else float("nan")
    return el(
        "td",
        figure(other.values[measure]),
        " ",
        el("span", percent(gap), class_=_tone(gap, sure=not by_chance(of, other, measure))),
        el("span", other.method, class_="sub"),
    )


def _tone(gap: float, *, sure: bool) -> str:
    """Green and red are for what chance does not explain."""
    if not sure or not gap:
        return "faint"
    return "good" if gap > 0 else "bad"
