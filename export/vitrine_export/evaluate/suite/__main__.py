"""`python -m vitrine_export.evaluate.suite`: see `make evaluate`."""

import argparse
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from vitrine_export.evaluate.page import joined, load_page, write_page
from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.report import machine
from vitrine_export.evaluate.suite.jobs import METRICS, Done, Jobs
from vitrine_export.evaluate.suite.months import months
from vitrine_export.evaluate.suite.sets import RUNS, Run
from vitrine_export.evaluate.suite.table import tuned, whole_table

_console = Console(soft_wrap=True, highlight=False)


def main(arguments: list[str] | None = None) -> int:
    """Makes every run that there is data for and that is not finished; answers what to exit with."""
    options = _options(arguments)
    jobs = Jobs(
        data=options.data,
        out=options.out,
        more=_more(options),
        side_by_side=options.jobs,
        say=_say,
    )
    failed: dict[str, str] = {}
    if not options.table:
        failed = jobs.all(_to_make(jobs, options))
    done = [(run, told) for run in RUNS if (told := jobs.finished(run, anyhow=options.table))]
    if done:
        _write(done, options)
    else:
        _say(f"nothing is finished; data sets are looked for in {options.data}")
    for run in RUNS:
        if run.key in failed:
            _say(f"FAILED {run.data}: {failed[run.key]}")
    if failed:
        _say("The same command runs those again, and keeps the others.")
    return 1 if failed or not done else 0


def _to_make(jobs: Jobs, options: argparse.Namespace) -> list[Run]:
    """The runs that are wanted, that there is data for and that are not finished."""
    runs = []
    for run in RUNS:
        if options.only and not any(run.key.startswith(key) for key in options.only):
            continue
        absent = [file for file in run.needs if not (options.data / file).exists()]
        if absent:
            _say(f"SKIPPED {run.data}: {options.data / absent[0]} is not there")
        elif (told := jobs.finished(run)) and not options.again:
            _say(f"kept {run.data}: finished {told.made} UTC in {told.seconds:,.0f} s; --again makes it anew")
        else:
            runs.append(run)
    return runs


def _write(done: list[tuple[Run, Done]], options: argparse.Namespace) -> None:
    """The table, and one page of all reports."""
    options.write.write_text("\n".join(_page(done, options)), "utf-8")
    pages = [load_page(options.out / run.key / NAME) for run, _ in done]
    write_page(options.out / "report.html", joined("What the recommendations are worth", pages))
    _say(f"written: {options.write} and {options.out / 'report.html'}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measures all data sets that are there, and writes the table. What is finished is kept: after a "
        "failure or Ctrl-C the same command goes on with the others."
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path(".evaluate"), help="folder for reports and bundles")
    parser.add_argument("--write", type=Path, default=Path("docs/quality.md"), help="where the table goes")
    parser.add_argument("--only", nargs="*", default=[], help="run those whose names begin so")
    parser.add_argument("--again", action="store_true", help="run what is finished, too")
    parser.add_argument(
        "--jobs", type=int, default=1, help="so many at a time, each on its share of the cores"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides everything random")
    parser.add_argument("--trials", type=int, help="passed on: trials of tuning")
    parser.add_argument("--no-ablation", action="store_true", help="passed on: saves a quarter of the time")
    parser.add_argument(
        "--table", action="store_true", help="only write the table, of runs that were made before"
    )
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs: at least one at a time")
    return options


def _more(options: argparse.Namespace) -> tuple[str, ...]:
    """What every run is given."""
    more = ["--seed", str(options.seed)]
    if options.trials is not None:
        more += ["--trials", str(options.trials)]
    return (*more, "--no-ablation") if options.no_ablation else tuple(more)


def _page(done: list[tuple[Run, Done]], options: argparse.Namespace) -> list[str]:
    found: list[tuple[Run, dict[str, Any]]] = [
        (run, msgspec.json.decode((options.out / run.key / METRICS).read_bytes())) for run, _ in done
    ]
    more = " ".join(_more(options))
    commands = [
        f"vitrine {' '.join(run.command('DATA', '.evaluate'))} {more}"
        + (f"  # {told.seconds:,.0f} s in all" if math.isfinite(told.seconds) else "")
        for run, told in done
    ]
    side = f", {options.jobs} runs side by side" if options.jobs > 1 else ""
    return [
        "# What the recommendations are worth",
        "",
        f"Made by `make evaluate` on {datetime.now(UTC):%Y-%m-%d}{side}; {machine()}.",
        "Every list comes from the exported bundle through the serving code; protocols, measures and methods stand in",
        "[evaluation.md](evaluation.md). With one target, `hr@k` is what papers on sessions call P@k. *Training* and",
        "*tuning* are seconds by the clock.",
        "",
        *whole_table(found),
        "",
        *months(found, options.out, options.seed),
        "",
        *tuned(found),
        "",
        "```bash",
        *commands,
        "```",
        "",
    ]


def _say(line: str) -> None:
    _console.print(line, markup=False)


if __name__ == "__main__":
    sys.exit(main())
