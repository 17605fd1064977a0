"""`python -m vitrine_export.evaluate.suite`: see `make evaluate`."""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from vitrine_export.evaluate.page import joined, load_page, write_page
from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.report import machine
from vitrine_export.evaluate.suite.sets import RUNS, Run, filled
from vitrine_export.evaluate.suite.table import months, whole_table

_console = Console(soft_wrap=True, highlight=False)


def main() -> int:
    """Runs everything that there is data for; answers what to exit with."""
    options = _options()
    runs = [run for run in RUNS if not options.only or any(run.key.startswith(key) for key in options.only)]
    done: list[tuple[Run, dict[str, Any]]] = []
    made: set[tuple[str, ...]] = set()
    for run in runs:
        absent = [file for file in run.needs if not (options.data / file).exists()]
        if absent:
            _console.print(f"SKIPPED {run.data}: {options.data / absent[0]} is not there", markup=False)
            continue
        out = options.out / run.key
        if not options.table:
            if run.before and run.before not in made:
                made.add(run.before)
                _vitrine(filled(run.before, str(options.data), str(options.out)))
            command = run.command(str(options.data), str(options.out))
            _vitrine([*command, "--out", str(out), "--seed", str(options.seed)])
        if (out / "metrics.json").exists() and (out / NAME).exists():
            done.append((run, msgspec.json.decode((out / "metrics.json").read_bytes())))
    if not done:
        _console.print(f"nothing was measured: none of the data sets is below {options.data}")
        return 1
    options.write.write_text("\n".join(_page(done, options.seed)), "utf-8")
    pages = [load_page(options.out / run.key / NAME) for run, _ in done]
    write_page(options.out / "report.html", joined("What the recommendations are worth", pages))
    _console.print(f"written: {options.write} and {options.out / 'report.html'}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measures all data sets that are there, and writes the table."
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path(".evaluate"), help="folder for reports and bundles")
    parser.add_argument("--write", type=Path, default=Path("docs/quality.md"), help="where the table goes")
    parser.add_argument("--only", nargs="*", default=[], help="run those whose names begin so")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random")
    parser.add_argument(
        "--table", action="store_true", help="only write the table, of runs that were made before"
    )
    return parser.parse_args()


def _vitrine(arguments: list[str]) -> None:
    _console.print("$ vitrine " + " ".join(arguments), markup=False)
    subprocess.run([sys.executable, "-m", "vitrine", *arguments], check=True)  # noqa: S603 (our own command)


def _page(done: list[tuple[Run, dict[str, Any]]], seed: int) -> list[str]:
    commands = [f"vitrine {' '.join(run.command('DATA', '.evaluate'))} --seed {seed}" for run, _ in done]
    return [
        "# What the recommendations are worth",
        "",
        f"Made by `make evaluate` on {datetime.now(UTC):%Y-%m-%d}; {machine()}.",
        "Every list comes from the exported bundle through the serving code; protocols, measures and methods stand in",
        "[evaluation.md](evaluation.md). With one target, `hr@k` is what papers on sessions call P@k.",
        "",
        *whole_table(done),
        "",
        *months(done),
        "",
        "```bash",
        *commands,
        "```",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
