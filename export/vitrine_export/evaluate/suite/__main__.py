"""`python -m vitrine_export.evaluate.suite`: see `make evaluate`."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from vitrine.errors import InvalidInput
from vitrine_export.alone import alone
from vitrine_export.evaluate.page import joined, load_page, write_page
from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.suite.jobs import Done, Jobs
from vitrine_export.evaluate.suite.processes import Terminated, terminated_by_signal
from vitrine_export.evaluate.suite.sets import RUNS, Run
from vitrine_export.evaluate.suite.summary import summary

_LOCK = ".lock"
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
    try:
        with terminated_by_signal(), nullcontext() if options.table else _alone(options.out) as lock:
            return _whole(replace(jobs, lock=lock), options)
    except InvalidInput as error:
        _say(str(error))
        return 1
    except (KeyboardInterrupt, Terminated) as error:
        _say("Stopped. What is finished is kept; the same command goes on with the others.")
        return 130 if isinstance(error, KeyboardInterrupt) else 143


def _whole(jobs: Jobs, options: argparse.Namespace) -> int:
    failed: dict[str, str] = {}
    settled: set[str] = set()
    if not options.table:
        kept, runs = _to_make(jobs, options)
        failed = jobs.all(runs)
        # Whatever has changed while they ran.
        settled = {run.key for run in (*kept, *runs)} - set(failed)
    done = []
    for run in RUNS:
        told = jobs.finished(run)
        why = jobs.why_again(run, told) if told and not options.table and run.key not in settled else ""
        if told and not why:
            done.append((run, told))
        elif told:
            _say(f"not in {options.write}: {run.data}, as {why}; --table writes it all the same")
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


def _to_make(jobs: Jobs, options: argparse.Namespace) -> tuple[list[Run], list[Run]]:
    """Of the runs that are wanted and that there is data for: those that are finished, and the others."""
    kept, runs = [], []
    for run in RUNS:
        if options.only and not any(run.key.startswith(key) for key in options.only):
            continue
        absent = [file for file in run.needs if not (options.data / file).exists()]
        if absent:
            _say(f"SKIPPED {run.data}: {options.data / absent[0]} is not there")
            continue
        told = jobs.finished(run)
        why = "--again" if options.again else jobs.why_again(run, told) if told else "it is not finished"
        if told and not why:
            _say(f"kept {run.data}: finished {told.made} UTC in {told.seconds:,.0f} s; --again makes it anew")
            kept.append(run)
        else:
            if told and not options.again:
                _say(f"again {run.data}: {why}")
            runs.append(run)
    return kept, runs


@contextmanager
def _alone(out: Path) -> Iterator[int]:
    """Keeps the folder to us and to what we run."""
    out.mkdir(parents=True, exist_ok=True)
    with alone(out / _LOCK, "out", "`make evaluate`, or a run that one left behind,") as lock:
        yield lock


def _write(done: list[tuple[Run, Done]], options: argparse.Namespace) -> None:
    """The table, and one page of all reports."""
    options.write.write_text(summary(done, options.out, _more(options), options.seed), "utf-8")
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


def _say(line: str) -> None:
    _console.print(line, markup=False)


if __name__ == "__main__":
    sys.exit(main())
