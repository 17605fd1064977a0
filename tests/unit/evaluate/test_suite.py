"""The table of all data sets, out of the files of several runs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vitrine_export.evaluate.bootstrap import paired
from vitrine_export.evaluate.predictions import VALUES, per_query, write_table
from vitrine_export.evaluate.suite.months import months
from vitrine_export.evaluate.suite.sets import RUNS
from vitrine_export.evaluate.suite.table import whole_table


def _found(pipeline: float, base: float, *, key: str = "known", against: str = "buy again") -> dict[str, Any]:
    def row(method: str, value: float) -> dict[str, Any]:
        return {"method": method, "values": {"recall@20": value}, "intervals": {}}

    gap = {"mean": pipeline - base, "low": pipeline - base - 0.01, "high": pipeline - base + 0.01}
    table = {
        "key": key,
        "title": "Known",
        "queries": 1234,
        "rows": [
            row("pipeline", pipeline),
            row(against, base),
            row("cf", 0.1),
            row("− cf", 0.9),
            row("source:popular", 0.8),
        ],
        "comparisons": [
            {"against": against, "measure": "recall@20", "method": "pipeline", "difference": gap}
        ],
        "rankers": ["cf"],
        "main": [],
        "published": [{"method": "SASRec", "values": {"recall@20": 0.2}}],
    }
    return {"tables": [table], "seconds": {"training": 61.2}, "milliseconds": 7.25}


def test_each_table_has_a_line_with_the_best_of_each_sort() -> None:
    lines = whole_table([(RUNS[3], _found(0.33, 0.3))])
    assert lines[2].split("|")[2:] == [
        " recall@20 ",
        " **0.3300** ",
        " 0.1000 cf ",
        " 0.3000 buy again ",
        " 0.2000 SASRec ",
        " 7.2 ",
        " 61 s ",
        " – ",
        "",
    ]
    assert "1,234" in lines[2]


def test_without_values_of_customers_months_are_taken_for_independent_and_that_is_said(
    tmp_path: Path,
) -> None:
    runs = [run for run in RUNS if run.key.startswith("online-retail")]
    found = [_found(0.33, 0.3), _found(0.36, 0.3), _found(0.3, 0.3)]
    (line,) = months(list(zip(runs, found, strict=True)), tmp_path, 0)
    assert "months taken for independent, though customers come back: a run has no values.parquet" in line
    # Gaps of 10, 20 and 0 %; half-widths of 3⅓ % each make one of 3⅓ ÷ √3 = 1.9 % for the mean.
    assert "+10.0%" in line
    assert "+8.1% to +11.9%" in line
    assert line.endswith("+10.0%, +20.0%, +0.0%).")


def test_a_customer_is_drawn_once_for_all_months(tmp_path: Path) -> None:
    runs = [run for run in RUNS if run.key.startswith("online-retail")]
    rng = np.random.default_rng(0)
    base, gain = rng.random(300) + 0.5, rng.normal(0.1, 0.5, 300)
    names = np.array([f"c{i}" for i in range(300)])

    def interval(customers: Callable[[int], npt.NDArray[np.str_]]) -> tuple[float, float, float]:
        for number, run in enumerate(runs):
            # The files name customers in any order.
            shown = rng.permutation(300)
            values = {
                "pipeline": {"recall@20": (base + gain)[shown]},
                "buy again": {"recall@20": base[shown]},
            }
            other = per_query(["x"], "new", {"pipeline": {"recall@20": np.ones(1)}})
            mine = per_query(customers(number)[shown].tolist(), "known", values)
            write_table(tmp_path / run.key / VALUES, [other, mine], "out")
        found = [_found(float((base + gain).mean()), float(base.mean())) for _ in runs]
        (line,) = months(list(zip(runs, found, strict=True)), tmp_path, 0)
        assert "a customer is drawn once for all months" in line
        mean, low, high = (float(share) / 100 for share in re.findall(r"([+-][\d.]+)%", line)[:3])
        return mean, low, high

    same = interval(lambda _: names)
    others = interval(lambda month: np.char.add(f"{month}-", names))
    assert same[0] == others[0] == pytest.approx(gain.mean() / base.mean(), abs=1e-3)
    # Three months of the same customers who behave alike say no more than one; of others, √3 times as much.
    alone = paired(base + gain, base, 0)
    assert same[2] - same[1] == pytest.approx((alone.high - alone.low) / base.mean(), rel=0.1)
    assert (same[2] - same[1]) / (others[2] - others[1]) == pytest.approx(np.sqrt(3), rel=0.1)


def test_the_best_of_buying_again_is_what_counts(tmp_path: Path) -> None:
    run = next(run for run in RUNS if run.key.startswith("online-retail"))
    found = _found(0.33, 0.3)
    better = _found(0.33, 0.32, against="buy again by recency")["tables"][0]
    found["tables"][0]["rows"] += [row for row in better["rows"] if row["method"].startswith("buy")]
    found["tables"][0]["comparisons"] += better["comparisons"]
    (line,) = months([(run, found)], tmp_path, 0)
    assert "+3.1%" in line


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.key)
def test_every_run_reads_what_it_needs(run: Any) -> None:
    command = " ".join(run.command("DATA", "WORK"))
    assert "{" not in command
    assert run.options[0] == "--protocol"
