"""The report that people read: one file of HTML that needs nothing else.

What it shows are plain values (`parts`, `chapters`); `compose` makes them out of lists, tables, trainings and a shop;
`write_page` writes the file, `save_page` what it shows, so that `python -m vitrine_export.evaluate.page` makes one file of
several runs.
"""

from vitrine_export.evaluate.page.chapters import Chapter, Offer, Page, People, Shopper, Thing
from vitrine_export.evaluate.page.document import write_page
from vitrine_export.evaluate.page.parts import (
    Bar,
    Bars,
    Entry,
    Figure,
    Gap,
    Grid,
    Kind,
    Plot,
    Series,
    Standing,
)
from vitrine_export.evaluate.page.store import joined, load_page, save_page

__all__ = [
    "Bar",
    "Bars",
    "Chapter",
    "Entry",
    "Figure",
    "Gap",
    "Grid",
    "Kind",
    "Offer",
    "Page",
    "People",
    "Plot",
    "Series",
    "Shopper",
    "Standing",
    "Thing",
    "joined",
    "load_page",
    "save_page",
    "write_page",
]
