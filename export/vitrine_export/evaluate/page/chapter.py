"""One chapter: what is there in order, what is missing named."""

from collections.abc import Mapping

from vitrine_export.evaluate.page.bars import bars, grid
from vitrine_export.evaluate.page.chapters import Chapter
from vitrine_export.evaluate.page.figures import figure
from vitrine_export.evaluate.page.gaps import gaps
from vitrine_export.evaluate.page.headline import opening
from vitrine_export.evaluate.page.html import Html, el, join
from vitrine_export.evaluate.page.people import people
from vitrine_export.evaluate.page.tables import standing
from vitrine_export.evaluate.page.words import lasted

# Each part by its field: the word of its link, and what a reader misses where it is not there.
_PARTS = {
    "standings": ("table", "tables against other methods"),
    "curves": ("curves", "curves by k, history and popularity"),
    "ablation": ("parts", "what each part is worth"),
    "lists": ("windows", "measures of whole lists"),
    "classification": ("classifier", "the classification view"),
    "learning": ("learning", "learning curves"),
    "importance": ("reranker", "what the reranker goes by"),
    "people": ("shoppers", "shoppers with their windows"),
}


def chapter(of: Chapter, anchor: str, *, several: bool) -> Html:
    """A chapter; ``anchor`` is its place in the page, and among several it has a title of its own."""
    parts = _parts(of)
    there = {name: html for name, html in parts.items() if html}
    links = (el("a", _PARTS[name][0], href=f"#{anchor}-{name}") for name in there)
    return el(
        "section",
        el("h2", f"{of.title}, {of.protocol}") if several else None,
        opening(of),
        el("nav", links, aria_label=of.title) if there else None,
        (el("section", html, id=f"{anchor}-{name}") for name, html in there.items()),
        _missing(of, parts),
        _made(of),
        id=anchor,
    )


def _parts(of: Chapter) -> dict[str, Html]:
    """HTML of each part by its field; empty for what is not there."""
    learning = [of.learning] if of.learning else []
    return {
        "standings": join([standing(table), gaps(table.gaps)] for table in of.standings),
        "curves": join(figure(one) for one in of.curves if one.plots),
        "ablation": join(bars(one) for one in of.ablation if one.rows),
        "lists": join(grid(one) for one in [of.lists] if one and one.rows),
        "classification": join(grid(one) for one in [of.classification] if one and one.rows),
        "learning": join(figure(one) for one in learning if one.plots),
        "importance": join(bars(one) for one in [of.importance] if one and one.rows),
        "people": join(people(some) for some in [of.people] if some and some.shoppers),
    }


def _missing(of: Chapter, parts: Mapping[str, Html]) -> Html | None:
    """A sentence for what is not there, with the reason where one is told."""
    gone = [(_PARTS[name][1], of.missing.get(name, "")) for name, html in parts.items() if not html]
    if not gone:
        return None
    told = "; ".join(words + (f" ({why})" if why else "") for words, why in gone)
    return el("p", f"Left out, as there is nothing to show: {told}.", class_="note missing")


def _made(of: Chapter) -> Html:
    """Counts, times, versions and the command."""
    rows = [(name, f"{count:,}") for name, count in of.counts.items()]
    rows += [(name, lasted(seconds)) for name, seconds in of.seconds.items()]
    rows += [(name, words) for name, words in of.versions.items() if words]
    table = el("table", (el("tr", el("td", name), el("td", words, class_="n")) for name, words in rows))
    return join(
        [
            el("h3", "How it was measured"),
            el("p", of.told),
            el("div", table, class_="wide") if rows else None,
            el("pre", of.command) if of.command else None,
        ]
    )
