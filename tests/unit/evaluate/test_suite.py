"""The table of all data sets, out of the files of several runs."""

from typing import Any

import pytest

from vitrine_export.evaluate.suite.sets import RUNS
from vitrine_export.evaluate.suite.table import months, whole_table


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
        "",
    ]
    assert "1,234" in lines[2]


def test_the_mean_of_the_months_has_the_interval_of_a_mean() -> None:
    runs = [run for run in RUNS if run.key.startswith("online-retail")]
    found = [_found(0.33, 0.3), _found(0.36, 0.3), _found(0.3, 0.3)]
    (line,) = months(list(zip(runs, found, strict=True)))
    # Gaps of 10, 20 and 0 %; half-widths of 3⅓ % each make one of 3⅓ ÷ √3 = 1.9 % for the mean.
    assert "+10.0%" in line
    assert "+8.1% to +11.9%" in line
    assert line.endswith("+10.0%, +20.0%, +0.0%).")


def test_the_best_of_buying_again_is_what_counts() -> None:
    run = next(run for run in RUNS if run.key.startswith("online-retail"))
    found = _found(0.33, 0.3)
    better = _found(0.33, 0.32, against="buy again by recency")["tables"][0]
    found["tables"][0]["rows"] += [row for row in better["rows"] if row["method"].startswith("buy")]
    found["tables"][0]["comparisons"] += better["comparisons"]
    (line,) = months([(run, found)])
    assert "+3.1%" in line


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.key)
def test_every_run_reads_what_it_needs(run: Any) -> None:
    command = " ".join(run.command("DATA", "WORK"))
    assert "{" not in command
    assert run.options[0] == "--protocol"
