"""One table out of the ``metrics.json`` of several runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import convert

from vitrine_export.evaluate.report import PIPELINE
from vitrine_export.evaluate.suite.sets import Run
from vitrine_export.evaluate.tuned import Tuned

_HEAD = (
    "| data, queries | measure | pipeline (95 % interval) | one ranker alone | simple | published | ms | training | tuning |",
    "|---|---|---:|---:|---:|---:|---:|---:|---:|",
)
# Rows of these tables are parts of the pipeline or variants of it, and no methods of their own.
_PARTS = "− "


def rows(run: Run, found: Mapping[str, Any]) -> list[str]:
    """The lines of one run: of each method the best of its sort.

    Args:
        run: What was run.
        found: Its ``metrics.json``.
    """
    lines = []
    for table in found["tables"]:
        if table["key"].endswith(("_ablation", "_chance")):
            continue
        whole = next((row for row in table["rows"] if row["method"] == PIPELINE), None)
        if whole is None:
            continue
        shown = table["main"] or list(whole["values"])
        for measure in shown:
            value = f"**{whole['values'][measure]:.4f}**"
            if bounds := whole["intervals"].get(measure):
                value += f" ({bounds[0]:.4f} to {bounds[1]:.4f})"
            lines.append(
                f"| {run.data}: {table['title']}, {table['queries']:,} | {measure} | {value} "
                f"| {_best(table, measure, simple=False)} | {_best(table, measure, simple=True)} "
                f"| {_of(table['published'], measure)} "
                f"| {found['milliseconds']:.1f} | {_seconds(found, 'training', table['key'])} "
                f"| {_seconds(found, 'tuning', table['key'])} |"
            )
    return lines


def whole_table(runs: Sequence[tuple[Run, Mapping[str, Any]]]) -> list[str]:
    """All lines, with the head."""
    return [*_HEAD, *(line for run, found in runs for line in rows(run, found))]


def tuned(runs: Sequence[tuple[Run, Mapping[str, Any]]]) -> list[str]:
    """What each training tuned by itself, in words."""
    return [
        f"- {run.data}{_which(step)}: {convert(told, Tuned).sentence}"
        for run, found in runs
        for step, told in found.get("tuned", {}).items()
    ]


def _which(step: str) -> str:
    """Of several trainings of a run, which one: what stands in brackets."""
    return f" {step[step.index('(') :]}" if "(" in step else ""


def _best(table: Mapping[str, Any], measure: str, *, simple: bool) -> str:
    """The best of the simple methods, or of the rankers alone."""
    rankers = set(table["rankers"])
    there = [
        row
        for row in table["rows"]
        if row["method"] != PIPELINE
        and not row["method"].startswith((_PARTS, "source:"))
        and (row["method"] in rankers) != simple
    ]
    return _of(there, measure)


def _of(there: Sequence[Mapping[str, Any]], measure: str) -> str:
    """The best of some methods."""
    some = [row for row in there if measure in row["values"]]
    if not some:
        return "–"
    best = max(some, key=lambda row: row["values"][measure])
    return f"{best['values'][measure]:.4f} {best['method']}"


def _seconds(found: Mapping[str, Any], step: str, key: str) -> str:
    """What a step took for a table; views of a table have its key and something after it."""
    of = {name.removeprefix(f"{step} (").removesuffix(")"): s for name, s in found["seconds"].items()}
    names = [name for name in of if name == step or key.startswith(name)]
    return f"{of[max(names, key=len)]:.0f} s" if names else "–"
