"""Chapters as files: so that runs of several data sets, one after another, become one page."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.page.chapters import Chapter, Page

# Beside the report of each run.
NAME = "report.json"


def save_page(path: Path, page: Page) -> None:
    """Writes what a page shows, as JSON; measures that are not known are NaN there, as Python writes it.

    Raises:
        InvalidInput: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(msgspec.to_builtins(page), ensure_ascii=False), "utf-8")
    except OSError as error:
        raise InvalidInput("out", f"cannot write {path}: {error.strerror or error}") from error


def load_page(path: Path) -> Page:
    """Reads what `save_page` wrote.

    Raises:
        InvalidInput: It cannot be read, or is none.
    """
    try:
        return msgspec.convert(json.loads(path.read_text("utf-8")), Page)
    except OSError as error:
        raise InvalidInput("report", f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise InvalidInput(
            "report", f"{path} is not what `vitrine evaluate --out` writes: {error}"
        ) from error


def joined(title: str, pages: Sequence[Page]) -> Page:
    """One page with the chapters of several."""
    machines = list(dict.fromkeys(page.machine for page in pages if page.machine))
    made = max((page.made for page in pages), default="")
    chapters: list[Chapter] = [chapter for page in pages for chapter in page.chapters]
    notes = list(dict.fromkeys(note for page in pages for note in page.notes))
    figures = [figure for page in pages for figure in page.figures]
    return Page(title, chapters, "; ".join(machines), made, notes, figures)
