"""How far the pipeline is ahead in the mean over the months of Online Retail."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from vitrine_export.evaluate.bootstrap import relative_over
from vitrine_export.evaluate.predictions import VALUES
from vitrine_export.evaluate.report import PIPELINE
from vitrine_export.evaluate.suite.sets import Run

_GROUP = "known"
# The baselines that known customers are measured against, of which the best counts.
_BUY_AGAIN = "buy again"


class _Month(NamedTuple):
    """The best of buying again in a month: its name and mean, how far the pipeline is ahead, and the run's folder."""

    against: str
    base: float
    gap: Mapping[str, Any]
    folder: Path


def months(runs: Sequence[tuple[Run, Mapping[str, Any]]], out: Path, seed: int) -> list[str]:
    """How far the pipeline is ahead of the best of buying again, in the mean over the months, in words.

    Args:
        runs: What was run, and its ``metrics.json``.
        out: Folder of the reports.
        seed: Decides which customers are drawn.
    """
    found: dict[str, list[_Month]] = {}
    for run, metrics in runs:
        if run.key.startswith("online-retail"):
            table = next(table for table in metrics["tables"] if table["key"] == _GROUP)
            for measure, month in _best(table, out / run.key).items():
                found.setdefault(measure, []).append(month)
    return [_line(measure, one, seed) for measure, one in found.items()]


def _best(table: Mapping[str, Any], folder: Path) -> dict[str, _Month]:
    best: dict[str, _Month] = {}
    for comparison in table["comparisons"]:
        against, measure = comparison["against"], comparison["measure"]
        if against.startswith(_BUY_AGAIN) and comparison["method"] == PIPELINE:
            values = next(row["values"] for row in table["rows"] if row["method"] == against)
            if measure not in best or values[measure] > best[measure].base:
                best[measure] = _Month(against, values[measure], comparison["difference"], folder)
    return best


def _line(measure: str, found: Sequence[_Month], seed: int) -> str:
    shares = [month.gap["mean"] / month.base for month in found]
    mean = sum(shares) / len(shares)
    windows = [_window(month, measure) for month in found]
    known = [window for window in windows if window is not None]
    if len(known) == len(windows):
        shares, around = relative_over(known, seed)
        mean, low, high = around.mean, around.low, around.high
        how = "a customer is drawn once for all months"
    else:
        # Of independent windows: the root of the sum of the squared half-widths, divided by their number.
        halves = [(month.gap["high"] - month.gap["low"]) / 2 / month.base for month in found]
        half = math.sqrt(sum(half**2 for half in halves)) / len(halves)
        low, high = mean - half, mean + half
        how = f"months taken for independent, though customers come back: a run has no {VALUES}"
    return (
        f"- Known customers of Online Retail, {measure}, mean of {len(found)} months over the best of buying again: "
        f"{mean:+.1%} (95 % interval {low:+.1%} to {high:+.1%}, {how}; {', '.join(f'{share:+.1%}' for share in shares)})."
    )


def _window(month: _Month, measure: str) -> tuple[Any, Any, list[str]] | None:
    """What the pipeline and the other reached, customer by customer; nothing where that was not written."""
    path = month.folder / VALUES
    if not path.exists():
        return None
    rows = pl.read_parquet(path).filter(pl.col("group") == _GROUP, pl.col("measure") == measure)
    by_method = rows.pivot("method", index="query", values="value", maintain_order=True)
    return (
        by_method[PIPELINE].to_numpy(),
        by_method[month.against].to_numpy(),
        by_method["query"].to_list(),
    )
