"""The report in Markdown. Figures in, text out: nothing is measured here."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.load.ghz import METHODS, Load, Output

SINGLE, CLOSED, OPEN = "single", "closed", "open"
TITLES = {
    SINGLE: "One caller: the time of a call that waits for nobody",
    CLOSED: "Closed loop: the peak",
    OPEN: "Open loop at half of the peak: what a shop would see",
}
_MOST_MESSAGES = 3
# Cores. Below this, it is the machine's own housekeeping.
_OTHERS = 0.2


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of ghz against one method.

    Attributes:
        mode: `SINGLE`, `CLOSED` or `OPEN`.
        load: How ghz loaded the server.
        output: What ghz says.
        server_seconds: CPU time that the server used meanwhile.
        generator: Cores that ghz used.
        others: Cores that neither the server nor ghz used, but something else.
        degraded: Part of an answer -> how often it was missing or second best meanwhile.
    """

    mode: str
    load: Load
    output: Output
    server_seconds: float
    generator: float
    others: float = 0.0
    degraded: dict[str, int] = field(default_factory=dict)

    @property
    def cpu_milliseconds(self) -> float | None:
        """CPU time of the server per call."""
        return self.server_seconds * 1e3 / self.output.count if self.output.count else None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the report says.

    Attributes:
        command: What made it.
        date: When.
        machine: Name -> value.
        versions: Name -> value.
        shop: What was served, a line each.
        requests: Method -> what was sent.
        events_per_call: Events in a batch of RecordEvents.
        runs: The figures.
    """

    command: str
    date: datetime
    machine: dict[str, str]
    versions: dict[str, str]
    shop: dict[str, str]
    requests: dict[str, str]
    events_per_call: int
    runs: list[Run]


def render(report: Report) -> str:
    """The report as Markdown."""
    parts = [
        "# Load report",
        f"Written by `{report.command}` on {report.date:%Y-%m-%d}; not edited. What the figures mean: [README](README.md).",
        _pairs({**report.machine, **report.versions}),
        "## What was served",
        _pairs(report.shop),
        "## What was asked",
        _pairs(report.requests),
    ]
    for mode, title in TITLES.items():
        runs = [run for run in report.runs if run.mode == mode]
        if runs:
            parts += [f"## {title}", _figures(runs)]
    parts += ["## In short", *_short(report), "## What went wrong", _problems(report.runs), "## Commands"]
    parts.append("```sh\n" + "\n".join(" ".join(run.load.command()[:-1]) for run in report.runs) + "\n```")
    return "\n\n".join(parts) + "\n"


def _pairs(values: dict[str, str]) -> str:
    return _table(["what", "value"], [[name, value] for name, value in values.items()], right=False)


def _figures(runs: list[Run]) -> str:
    head = [
        "method",
        "load",
        "rps",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "errors",
        "server CPU ms/call",
        "ghz cores",
    ]
    return _table(head, [_row(run) for run in runs], right=True)


def _row(run: Run) -> list[str]:
    if run.mode == OPEN:
        load = f"{run.load.rate:,}/s"
    else:
        load = f"{run.load.callers} caller{'s' * (run.load.callers != 1)}"
    return [
        METHODS[run.load.config],
        load,
        _number(run.output.rps),
        *(_number(run.output.milliseconds(percentage)) for percentage in (50, 95, 99)),
        f"{run.output.errors:,}",
        _number(run.cpu_milliseconds),
        f"{run.generator:.2f}",
    ]


def _short(report: Report) -> list[str]:
    """Ratios, which travel between machines better than milliseconds."""
    by = {(run.mode, run.load.config): run.output for run in report.runs}
    lines = []
    for config, method in METHODS.items():
        alone, half = by.get((SINGLE, config)), by.get((OPEN, config))
        median = alone.milliseconds(50) if alone else None
        tail = half.milliseconds(99) if half else None
        if median and tail:
            lines.append(f"- {method}: p99 at half of the peak ÷ median of one caller = {tail / median:.1f}")
    peak = by.get((CLOSED, "record_events"))
    if peak:
        lines.append(
            f"- RecordEvents: {_number(peak.rps * report.events_per_call)} durable events/s at the peak"
        )
    return ["\n".join(lines)] if lines else []


def _problems(runs: list[Run]) -> str:
    lines = []
    for run in runs:
        where = f"{METHODS[run.load.config]}, {run.mode}"
        messages = sorted(run.output.error_distribution.items(), key=lambda pair: (-pair[1], pair[0]))
        lines += [f"- {where}: {count:,} × {message}" for message, count in messages[:_MOST_MESSAGES]]
        lines += [f"- {where}: degraded {count:,} × {part}" for part, count in sorted(run.degraded.items())]
        if run.mode == OPEN and run.output.rps < 0.98 * run.load.rate:
            lines.append(f"- {where}: {_number(run.output.rps)}/s reached of {run.load.rate:,}/s asked for")
    disturbed = [run.others for run in runs if run.others > _OTHERS]
    if disturbed:
        share = f"{len(disturbed)} of {len(runs)} runs"
        lines.append(
            f"- other programs used up to {max(disturbed):.1f} cores during {share}: "
            "times are longer for it, CPU times less so"
        )
    return "\n".join(lines) or "Nothing: no error, nothing degraded, every rate reached, nothing else ran."


def _table(head: list[str], rows: list[list[str]], *, right: bool) -> str:
    rule = ["---"] + ["---:" if right else "---"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


def _number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return "none"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
