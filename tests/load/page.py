"""docs/performance.md, from figures. Nothing is measured here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from tests.load.ghz import METHODS
from tests.load.loading import Run
from tests.load.row import Row
from tests.load.suite import Suite

STEPS = Path("tests/load/steps.toml")
_MEANING = (
    "Figures are ratios where they can be, since ratios travel between machines; milliseconds are of this one. The server "
    "runs on a core of its own and what loads it on the other. *Peak* is the highest constant rate of an open loop (calls "
    "start on time whether or not earlier ones have ended) of which at least 98 % is achieved with fewer than 0.1 % errors; "
    "an answer that lacks a part counts as an error. Shoppers are drawn by a Zipf law, and a new event comes in per ten "
    "calls, so that caches help no more than they would in life. *CPU per request* is the processor time of the server, "
    "those events included, divided by the calls. ghz starts calls at even distances; shoppers come in bunches, so real "
    "tails are longer."
)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the optimisation that mattered: written by hand, since it was measured once.

    Attributes:
        what: What was done.
        before: The figure, with its unit.
        after: The figure of the same run.
        command: What measured both; empty where a test does, which ``what`` names.
    """

    what: str
    before: str
    after: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the page says.

    Attributes:
        command: What made it.
        date: When.
        minutes: How long it took.
        machine: Name -> value; versions and commit, too.
        shop: What was served, name -> value.
        rows: The figures.
        suite: What ghz measured; ``None`` where it did not come to that.
        pictures: Title -> path from the page.
        steps: What made it fast.
        extra: Sections that others have written, Markdown.
    """

    command: str
    date: datetime
    minutes: float
    machine: Mapping[str, str]
    shop: Mapping[str, str]
    rows: Sequence[Row]
    suite: Suite | None
    pictures: Mapping[str, str]
    steps: Sequence[Step]
    extra: Sequence[str] = ()


def steps(path: Path = STEPS) -> list[Step]:
    """Reads the steps.

    Raises:
        msgspec.MsgspecError: The file is not as it should be.
    """
    return msgspec.toml.decode(path.read_bytes(), type=dict[str, list[Step]])["step"]


def render(page: Page) -> str:
    """The page as Markdown."""
    parts = [
        "# How fast it is",
        f"Made by `{page.command}` on {page.date:%Y-%m-%d} in {page.minutes:.0f} minutes, not edited.",
        _MEANING,
        "## Figures",
        figures(page.rows),
    ]
    notes = [f"- {row.what}: {row.note}." for row in page.rows if row.note]
    parts += ["Notes:\n\n" + "\n".join(notes)] if notes else []
    if page.suite:
        parts += ["## Under load", latencies(page.suite)]
        parts += [f"![{title}]({path})" for title, path in page.pictures.items()]
        parts += ["What was asked:", _pairs(page.suite.asked, METHODS), problems(page.suite)]
    if page.steps:
        told = [[s.what, s.before, s.after, f"`{s.command}`" if s.command else ""] for s in page.steps]
        parts += [
            "## What made it fast",
            "Each step was measured once, before and after in one run, on the machine of its day.",
            table(["what", "before", "after", "command"], told, right=()),
        ]
    parts += [*page.extra, "## What it was measured on", _pairs({**page.shop, **page.machine}, {})]
    return "\n\n".join(parts) + "\n"


def figures(rows: Sequence[Row]) -> str:
    """The table of all rows."""
    words = {True: "yes", False: "**no**", None: "–"}
    cells = [
        [
            row.what,
            row.reach or "stated",
            "–" if row.value is None else f"**{number(row.value)}**",
            words[row.reached],
            "; ".join(f"{name}: {value}" for name, value in row.details.items()),
        ]
        for row in rows
    ]
    return table(["what", "reach", "measured", "reached", "details"], cells, right=(1, 2))


def latencies(suite: Suite) -> str:
    """Peak, times and CPU of each method."""
    head = ["call", "peak", "one caller, p50", "at half of the peak: p50", "p95", "p99", "CPU per request"]
    cells = [
        [
            f"`{METHODS[name]}`",
            f"{m.peak}/s",
            f"{number(m.single.p50)} ms",
            *(f"{number(value)} ms" for value in (m.half.p50, m.half.p95, m.half.p99)),
            f"{number(m.half.cpu)} ms; one caller {number(m.single.cpu)} ms",
        ]
        for name, m in suite.methods.items()
    ]
    return table(head, cells, right=range(1, 6))


def problems(suite: Suite) -> str:
    """What went wrong in the runs that count, and what else ran meanwhile."""
    runs: list[tuple[str, Run]] = []
    for name, m in suite.methods.items():
        runs += [(f"{METHODS[name]}, one caller", m.single), (f"{METHODS[name]} at half of the peak", m.half)]
    lines = [f"- {where}: {count:,} × {what}" for where, run in runs for what, count in run.wrong.items()]
    others = max((run.others for _, run in runs), default=0.0)
    if others > 0.2:
        lines.append(
            f"- Other programs used up to {others:.1f} cores meanwhile: times are longer for it, CPU times less so."
        )
    busy = max((run.generator for _, m in suite.methods.items() for run in m.runs), default=0.0)
    lines.append(f"- ghz used at most {busy:.2f} of its core.")
    return "What went wrong:\n\n" + "\n".join(lines)


def number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _pairs(values: Mapping[str, str], names: Mapping[str, str]) -> str:
    return table(["what", "value"], [[names.get(k, k), v] for k, v in values.items()], right=())


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int]) -> str:
    """Markdown; ``right``: the columns of figures."""
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    clean = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *clean])
