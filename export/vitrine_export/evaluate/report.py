"""What an evaluation found, for the terminal, for people and for programs."""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich import table as rich_table
from rich.console import Group
from rich.text import Text

from vitrine_export.evaluate.bootstrap import Difference
from vitrine_export.evaluate.tuned import Tuned

PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Row:
    """One method: the mean of every measure over the queries, and of some methods the 95 % intervals of the means."""

    method: str
    values: dict[str, float]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a method, mostly the pipeline, is ahead of another in one measure."""

    against: str
    measure: str
    difference: Difference
    method: str = PIPELINE


@dataclass(slots=True)
class Table:
    """One group of queries.

    Attributes:
        key: For programs.
        title: For people.
        queries: How many queries the means go over.
        rows: The methods.
        comparisons: The pipeline against some of them.
        note: What is to be known about it.
        rankers: Those of the methods that are one ranker alone.
        published: What others have published on the same data by the same protocol.
        main: The measures that are shown in the terminal and in Markdown; all of them unless told.
    """

    key: str
    title: str
    queries: int
    rows: list[Row]
    comparisons: list[Comparison] = field(default_factory=list)
    note: str = ""
    rankers: tuple[str, ...] = ()
    main: tuple[str, ...] = ()
    published: list[Row] = field(default_factory=list)

    @property
    def measures(self) -> list[str]:
        """Names of the measures that are shown."""
        there = list(self.rows[0].values) if self.rows else []
        return [name for name in there if not self.main or name in self.main]


@dataclass(slots=True)
class Report:
    """One run.

    Attributes:
        protocol: Its name.
        data: Name of the data set.
        start: First moment of the test window, Unix seconds.
        end: First moment after it.
        k: Length of the lists.
        seed: Decides halves of baskets, equal scores and resamples.
        bundle: Version of the models.
        config: Fingerprint of the configuration.
        tables: The groups of queries.
        counts: How many events, customers and items there were.
        seconds: How long each step took.
        milliseconds: Time of one window of the pipeline.
        sentence: What was done, where it was no split by date.
        tuned: What trainings tuned by themselves, by the step that took the time.
        left_out: What the scenes asked for and was left out, because the bundle has no part for it, and why.
        missing: What the pipeline went without, and in how many answers.
        machine: Where it ran.
    """

    protocol: str
    data: str
    start: float
    end: float
    k: int
    seed: int
    sentence: str = ""
    bundle: str = ""
    config: str = ""
    tables: list[Table] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    milliseconds: float = 0.0
    tuned: dict[str, Tuned] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    machine: str = field(default_factory=lambda: machine())  # noqa: PLW0108 (defined below)

    def render(self) -> Group:
        """For the terminal."""
        parts: list[Text | rich_table.Table] = [Text(self.headline, style="bold")]
        for table in self.tables:
            parts += [shown(table, PIPELINE), *(Text(line) for line in sentences(table))]
        parts += [Text(tuned.sentence) for tuned in self.tuned.values()]
        parts += [Text(line) for line in self.without]
        parts += [Text(f"{what}, in {count:,} answers") for what, count in self.missing.items()]
        parts.append(Text(self.footer, style="dim"))
        return Group(*parts)

    def markdown(self) -> str:
        """For a file."""
        lines = [f"# {self.headline}", ""]
        for table in self.tables:
            measures = table.measures
            lines += [f"## {table.title} ({table.queries:,} queries)", ""]
            lines += [f"| method | {' | '.join(measures)} |", f"|---|{'---:|' * len(measures)}"]
            for row in table.rows:
                name = f"**{row.method}**" if row.method == PIPELINE else row.method
                lines.append(f"| {name} | {' | '.join(_cells(row, measures))} |")
            for row in table.published:
                lines.append(f"| {row.method} (published) | {' | '.join(_cells(row, measures))} |")
            lines += ["", *(f"- {line}" for line in sentences(table)), ""]
            lines += [table.note, ""] if table.note else []
        lines += [line for tuned in self.tuned.values() for line in (tuned.sentence, "")]
        lines += [line for said in self.without for line in (said, "")]
        return "\n".join([*lines, self.footer, ""])

    def write(self, folder: Path) -> None:
        """Writes ``metrics.json`` and ``report.md``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(asdict(self)), indent=2)
        )
        (folder / "report.md").write_text(self.markdown(), "utf-8")

    def apart(self, step: str, tuning: str, tuned: Tuned | None) -> None:
        """Tells tuning from the step that it was a part of, where there was any."""
        if tuned is not None:
            self.tuned[tuning] = tuned
            self.seconds[tuning] = tuned.seconds
            self.seconds[step] -= tuned.seconds

    @property
    def without(self) -> list[str]:
        """What was left out, in words."""
        return [
            f"Left out, as the bundle has no part for it: {what} ({why})."
            for what, why in self.left_out.items()
        ]

    @property
    def headline(self) -> str:
        """What was measured."""
        if self.sentence:
            return f"{self.data}, {self.protocol}: {self.sentence}"
        return (
            f"{self.data}, {self.protocol}: trained before {_day(self.start)}, "
            f"tested from then until before {_day(self.end)}"
        )

    @property
    def footer(self) -> str:
        """With what, how long, and where."""
        counts = ", ".join(f"{value:,} {name}" for name, value in self.counts.items())
        times = ", ".join(f"{name} {value:.1f} s" for name, value in self.seconds.items())
        return (
            f"{counts}. Bundle {self.bundle or 'none'}, configuration {self.config}, seed {self.seed}. "
            f"{times}; {self.milliseconds:.1f} ms a window. {self.machine}."
        )


def machine() -> str:
    """The machine: processor, usable cores, Python."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{model}, {cores} cores, Python {platform.python_version()}"


def shown(table: Table, *marked: str, titled: bool = True) -> rich_table.Table:
    """A group of queries for the terminal: the best figures in bold, some methods in green."""
    best = {m: max(row.values[m] for row in table.rows if m in row.values) for m in table.measures}
    made = rich_table.Table()
    if titled:
        made.title, made.title_justify = f"{table.title} ({table.queries:,} queries)", "left"
        made.caption = table.note or None
    made.add_column("method")
    for measure in table.measures:
        made.add_column(measure, justify="right")
    for row in table.rows:
        cells = [
            f"[bold]{cell}[/]" if row.values.get(m) == value else cell
            for cell, (m, value) in zip(_cells(row, list(best)), best.items(), strict=True)
        ]
        made.add_row(Text(row.method), *cells, style="green" if row.method in marked else "")
    return made


def sentences(table: Table) -> Iterator[str]:
    """The comparisons of a table in words."""
    for comparison in table.comparisons:
        gap = comparison.difference
        yield (
            f"{comparison.method} − {comparison.against}, {comparison.measure}: {gap.mean:+.4f} ({gap.relative:+.1%}), "
            f"95 % interval {gap.low:+.4f} to {gap.high:+.4f}"
        )


def _cells(row: Row, measures: Sequence[str]) -> list[str]:
    """The figures of a method; nothing where it has none of a measure."""
    return [f"{row.values[m]:.4f}" if m in row.values else "" for m in measures]


def _day(moment: float) -> str:
    when = datetime.fromtimestamp(moment, UTC)
    return f"{when:%Y-%m-%d}" if when.timestamp() % 86_400 == 0 else f"{when:%Y-%m-%d %H:%M}"


@contextmanager
def timed(report: Report, step: str) -> Iterator[None]:
    """Notes how long a step took."""
    begun = time.monotonic()
    yield
    report.seconds[step] = time.monotonic() - begun
