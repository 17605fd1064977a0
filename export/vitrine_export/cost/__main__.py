"""``python -m vitrine_export.cost``: trains on several sizes of data and shows how time and memory grow."""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from vitrine_export.cost.child import Measured
from vitrine_export.cost.page import draw, render
from vitrine_export.cost.sizes import EVENTS, SHARE

_KINDS = {SHARE: "check-ins", EVENTS: "invoices"}
_TITLES = {SHARE: "Gowalla", EVENTS: "simulated shop"}


class Runs(msgspec.Struct):
    """What was measured so far, by series and size.

    Attributes:
        made: Making the data.
        trained: Training on it.
    """

    made: dict[str, Measured] = {}
    trained: dict[str, Measured] = {}


def cost(
    gowalla: Annotated[Path | None, typer.Option(help="Gowalla's train.txt; left out without.")] = None,
    shares: Annotated[str, typer.Option(help="Shares of its users.")] = "0.25,0.5,1",
    events: Annotated[str, typer.Option(help="Millions of simulated events; empty for none.")] = "1,5,20",
    out: Annotated[Path, typer.Option(help="Folder for cost.md, cost.svg and cost.json.")] = Path(
        "docs/cost"
    ),
    again: Annotated[bool, typer.Option(help="Measure anew what cost.json holds.")] = False,
) -> None:
    """Measures, each size in a process of its own, and writes the page; what cost.json holds is not measured again."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "cost.json"
    runs = Runs() if again or not kept.exists() else msgspec.json.decode(kept.read_bytes(), type=Runs)
    wanted = [(SHARE, float(share)) for share in shares.split(",") if gowalla and share]
    wanted += [(EVENTS, 1e6 * float(size)) for size in events.split(",") if size]
    for series, size in wanted:
        key = f"{series} {size:g}"
        if key in runs.trained:
            continue
        with tempfile.TemporaryDirectory(prefix="vitrine-cost-") as folder:
            typer.echo(f"{key}: making the data")
            runs.made[key] = _child("make", series, f"{size:g}", str(gowalla), folder)
            typer.echo(f"{key}: training on {runs.made[key].events:,} events")
            done = runs.trained[key] = _child("train", _KINDS[series], folder)
            # All of them are read, not only those that are learned from.
            done.events = runs.made[key].events
        typer.echo(f"{key}: {done.seconds:,.1f} s, {done.cpu:,.1f} s of CPU, {done.peak_mb:,.0f} MB")
        kept.write_bytes(msgspec.json.format(msgspec.json.encode(runs)))
    trained, made = _by_series(runs.trained), _by_series(runs.made)
    (out / "cost.svg").write_bytes(draw(trained))
    text = render(trained, made, machine=machine(), commands=["make cost"], plot="cost.svg")
    (out / "cost.md").write_text(text, "utf-8")
    typer.echo(text)


def machine() -> str:
    """Processor, cores, memory and Python of this machine."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {memory:.0f} GB of memory, Python {platform.python_version()}"


def _child(*arguments: str) -> Measured:
    """A measurement in a process of its own, so that no memory of another one counts."""
    command = [sys.executable, "-m", "vitrine_export.cost.child", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}")
    return msgspec.json.decode(done.stdout, type=Measured)


def _by_series(runs: dict[str, Measured]) -> dict[str, Sequence[Measured]]:
    """The runs of each series, the smallest first."""
    found = {
        title: sorted(
            (run for key, run in runs.items() if key.startswith(series)), key=lambda run: run.events
        )
        for series, title in _TITLES.items()
    }
    return {title: of for title, of in found.items() if of}


if __name__ == "__main__":
    typer.run(cost)
