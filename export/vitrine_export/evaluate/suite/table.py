"""One table out of the ``metrics.json`` of several runs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vitrine_export.evaluate.report import PIPELINE
from vitrine_export.evaluate.suite.sets import Run

_HEAD = (
    "| data, queries | measure | pipeline (95 % interval) | one ranker alone | simple | published | ms | training |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
)
# Rows of these tables are parts of the pipeline or variants of it, and no methods of their own.
_PARTS = "− "
# The baselines that known customers are measured against, of which the best counts.
_BUY_AGAIN = "buy again"


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
                f"| {found['milliseconds']:.1f} | {_training(found, table['key'])} |"
            )
    return lines


def whole_table(runs: Sequence[tuple[Run, Mapping[str, Any]]]) -> list[str]:
    """All lines, with the head."""
    return [*_HEAD, *(line for run, found in runs for line in rows(run, found))]


def months(runs: Sequence[tuple[Run, Mapping[str, Any]]]) -> list[str]:
    """How far the pipeline is ahead of the best of buying again, in the mean over the months, in words.

    The months are independent windows: the half-width of the mean's interval is the root of the sum of the squared
    half-widths, divided by their number.
    """
    gaps: dict[str, list[tuple[float, float, float]]] = {}
    for run, found in runs:
        if not run.key.startswith("online-retail"):
            continue
        table = next(table for table in found["tables"] if table["key"] == "known")
        best: dict[str, tuple[float, dict[str, Any]]] = {}
        for comparison in table["comparisons"]:
            if comparison["against"].startswith(_BUY_AGAIN) and comparison["method"] == PIPELINE:
                values = next(r["values"] for r in table["rows"] if r["method"] == comparison["against"])
                reached = values[comparison["measure"]]
                if reached > best.get(comparison["measure"], (-1.0, {}))[0]:
                    best[comparison["measure"]] = reached, comparison["difference"]
        for measure, (base, gap) in best.items():
            half = (gap["high"] - gap["low"]) / 2 / base
            gaps.setdefault(measure, []).append((gap["mean"] / base, half, base))
    lines = []
    for measure, all_months in gaps.items():
        mean = sum(gap for gap, _, _ in all_months) / len(all_months)
        half = math.sqrt(sum(half**2 for _, half, _ in all_months)) / len(all_months)
        lines.append(
            f"- Known customers of Online Retail, {measure}, mean of {len(all_months)} months over the best of buying "
            f"again: {mean:+.1%} (95 % interval {mean - half:+.1%} to {mean + half:+.1%}; "
            f"{', '.join(f'{gap:+.1%}' for gap, _, _ in all_months)})."
        )
    return lines


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


def _training(found: Mapping[str, Any], key: str) -> str:
    seconds = found["seconds"].get(f"training ({key})", found["seconds"].get("training"))
    return "–" if seconds is None else f"{seconds:.0f} s"
