"""The figures in README.md, between two marks: those of the page that a reader wants first."""

from collections.abc import Sequence
from pathlib import Path

from tests.load.ghz import METHODS
from tests.load.markdown import number, table
from tests.load.row import Row
from tests.load.suite import Suite

FILE = Path("README.md")
BEGIN, END = "<!-- bench: from here to the end mark `make bench` writes -->", "<!-- bench: end -->"
_ASKED = {
    "recommend": "20 items of 500 candidates",
    "rank": "300 candidates",
    "retrieve": "500 candidates",
}


def put(rows: Sequence[Row], suite: Suite, path: Path = FILE) -> None:
    """Writes them.

    Raises:
        RuntimeError: The marks are missing.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RuntimeError(f"{path} lacks the marks between which figures stand: {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{figures(rows, suite)}\n\n{END}{after}", encoding="utf-8")


def figures(rows: Sequence[Row], suite: Suite) -> str:
    """A table of the calls, and the rows that have something short to say."""
    head = ["call, on one core", "peak", "one caller, p50", "at half of the peak, p50 / p99", "CPU a call"]
    cells = [
        [
            f"`{METHODS[name]}`, {_ASKED[name]}",
            f"{measured.peak}/s",
            f"{number(measured.single.p50)} ms",
            f"{number(measured.half.p50)} / {number(measured.half.p99)} ms",
            f"{number(measured.half.cpu)} ms",
        ]
        for name, measured in suite.methods.items()
    ]
    told = "\n".join(f"- {row.short}." for row in rows if row.short)
    return table(head, cells, right=(1, 2, 3, 4)) + (f"\n\n{told}" if told else "")
