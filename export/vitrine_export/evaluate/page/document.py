"""The file: one document in which nothing is fetched from anywhere."""

from collections.abc import Iterable
from pathlib import Path

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.page.chapter import chapter
from vitrine_export.evaluate.page.chapters import Page
from vitrine_export.evaluate.page.figures import figure
from vitrine_export.evaluate.page.html import Child, Html, el
from vitrine_export.evaluate.page.overview import overview
from vitrine_export.evaluate.page.style import BASE, REPORT

# Nothing from outside, and no script even if one got in.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(path: Path, of: Page) -> None:
    """Writes one file that needs nothing else.

    Raises:
        InvalidInput: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(of), "utf-8")
    except OSError as error:
        raise InvalidInput("out", f"cannot write {path}: {error.strerror or error}") from error


def page(of: Page) -> Html:
    """The whole document."""
    several = len(of.chapters) > 1
    head = el(
        "header",
        el("p", "Vitrine, measured", class_="eyebrow"),
        el("h1", of.title),
        (el("p", note, class_="dim") for note in of.notes),
        overview(of.chapters) if several else None,
    )
    main = el(
        "main",
        (chapter(one, f"c{number}", several=several) for number, one in enumerate(of.chapters, 1)),
        (figure(one) for one in of.figures if one.plots),
    )
    foot = el("footer", " · ".join(words for words in (of.machine, of.made) if words))
    return document(of.title, [head, main, foot], BASE + REPORT)


def document(title: str, body: Iterable[Child], style: str) -> Html:
    """A document of one file.

    Args:
        title: Of the window.
        body: What it holds.
        style: CSS, which must not come from outside.
    """
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", Html(style)),
    )
    return Html("<!doctype html>\n" + el("html", head, "\n", el("body", body), lang="en") + "\n")
