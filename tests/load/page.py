"""docs/performance.md, from figures. Nothing is measured here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.load.ghz import METHODS
from tests.load.loading import Run
from tests.load.markdown import number, table
from tests.load.row import Row
from tests.load.steps import Step, told
from tests.load.suite import Suite
from tests.load.summary import summary

_MEANING = """\
- **Ratios** travel between machines; milliseconds are of this one. Compare with others by what is divided, not by times that
  were measured elsewhere: Gorse's, Metarank's and AWS's figures are what they or others published, of their machines, their
  data and their questions; Ray Serve and mosec were measured here, beside Vitrine.
- **One core for the server**, another for what loads it. A process of Python computes on one core at a time; `--workers N`
  takes N, at the cost of the row about workers.
- **Peak**: the highest constant rate of an open loop (calls start on time whether or not earlier ones have ended) of which at
  least 98 % is achieved with fewer than 0.1 % errors; an answer that lacks a part counts as an error.
- **CPU per request**: the processor time of the server, divided by the calls. A new event comes in per ten calls, and is in it.
- **Bare**: the same pipeline in a plain loop, without server, threads or wire. **Kernels**: what no Python can make cheaper:
  searches for the nearest vectors, runs of networks, predictions of trees, called alone on the same inputs.
- **Caches** help no more than they would in life: shoppers are drawn by a Zipf law, and their profiles change as they ask.
- **What it does not show**: the shop is simulated; ghz starts calls at even distances, and shoppers come in bunches, so real
  tails are longer; nothing crosses a network; a busy machine beside it makes times longer, and CPU times by some per cent."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the page says.

    Attributes:
        command: What made it.
        minutes: How long it took.
        measured: When, and at which commit, in a sentence or two.
        machine: Name -> value; versions and commit, too.
        shop: What was served, name -> value.
        rows: The figures.
        suite: What ghz measured; ``None`` where it did not come to that.
        pictures: Title -> path from the page.
        steps: What made it fast.
        extra: Sections that others have written, Markdown.
    """

    command: str
    minutes: float
    measured: str
    machine: Mapping[str, str]
    shop: Mapping[str, str]
    rows: Sequence[Row]
    suite: Suite | None
    pictures: Mapping[str, str]
    steps: Sequence[Step]
    extra: Sequence[str] = ()


def render(page: Page) -> str:
    """The page as Markdown."""
    took = f" in {page.minutes:.0f} minutes" if page.minutes >= 1 else ""
    parts = [
        "# How fast it is",
        f"Made by `{page.command}`{took}, not edited. {page.measured}".rstrip(),
        "## In short",
        summary(page.rows, page.suite),
        "## How to read it",
        _MEANING,
        "## Figures",
        figures(page.rows),
        "What each is made of, and how it was measured:",
        details(page.rows),
    ]
    if page.suite:
        parts += ["## Under load", latencies(page.suite)]
        parts += [f"![{title}]({path})" for title, path in page.pictures.items()]
        parts += ["What was asked:", _pairs(page.suite.asked, METHODS), problems(page.suite)]
    parts += page.extra
    if page.steps:
        parts += ["## What made it fast", told(page.steps)]
    parts += ["## What it was measured on", _pairs({**page.shop, **page.machine}, {})]
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
        ]
        for row in rows
    ]
    return table(["what", "reach", "measured", "reached"], cells, right=(1, 2))


def details(rows: Sequence[Row]) -> str:
    """What there is to know about each row, a paragraph each."""
    lines = []
    for row in rows:
        told = "; ".join(f"{name}: {value}" for name, value in row.details.items())
        sentences = ". ".join(part[:1].upper() + part[1:] for part in (told, row.note) if part)
        if sentences:
            lines.append(f"- **{row.what}** – {sentences}.")
    return "\n".join(lines)


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


def _pairs(values: Mapping[str, str], names: Mapping[str, str]) -> str:
    return table(["what", "value"], [[names.get(k, k), v] for k, v in values.items()], right=())
