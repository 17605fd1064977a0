"""The page of all runs, in Markdown."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from vitrine_export.evaluate.report import machine
from vitrine_export.evaluate.suite.jobs import METRICS, Done
from vitrine_export.evaluate.suite.months import months
from vitrine_export.evaluate.suite.sets import Run
from vitrine_export.evaluate.suite.table import tuned, whole_table


def summary(done: Sequence[tuple[Run, Done]], out: Path, more: Sequence[str], seed: int) -> str:
    """The table of some runs, what was tuned, and what made them.

    Args:
        done: The runs, and what is known of each.
        out: Folder of the reports.
        more: Options that all runs get.
        seed: Decides which customers are drawn.
    """
    found: list[tuple[Run, dict[str, Any]]] = [
        (run, msgspec.json.decode((out / run.key / METRICS).read_bytes())) for run, _ in done
    ]
    lines = [
        "# What the recommendations are worth",
        "",
        f"Made by `make evaluate` on {datetime.now(UTC):%Y-%m-%d}; {machine()}.",
        "Every list comes from the exported bundle through the serving code; protocols, measures and methods stand in",
        "[evaluation.md](evaluation.md). With one target, `hr@k` is what papers on sessions call P@k. *Training* and",
        "*tuning* are seconds by the clock.",
        "",
        *whole_table(found),
        "",
        *months(found, out, seed),
        "",
        *tuned(found),
        "",
        "```bash",
        *(_command(run, told, more) for run, told in done),
        "```",
        "",
    ]
    return "\n".join(lines)


def _command(run: Run, told: Done, more: Sequence[str]) -> str:
    """What a run was made by, and how."""
    how = [f"{told.seconds:,.0f} s in all"] if math.isfinite(told.seconds) else []
    if told.side_by_side > 1:
        how.append(f"{told.side_by_side} runs side by side")
    command = told.shown(run)
    if not command:
        command = " ".join(["vitrine", *run.command("DATA", ".evaluate"), *more])
        how.append("made by hand; this is what `make evaluate` runs")
    return command + (f"  # {', '.join(how)}" if how else "")
