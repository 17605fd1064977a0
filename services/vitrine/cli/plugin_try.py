"""`vitrine plugin try`: what a ranker is worth on real data, before anybody is shown what it says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # what measures is not loaded for --help
    from vitrine_export.trial import Trial
    from vitrine_export.trial.examples import Example, Shown

console = Console()

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
# Items of an example on the terminal; the page has all.
_ROWS = 10
# Below this many columns, two lists side by side are not to be read.
_NARROW = 72


def try_command(
    name: Annotated[str, typer.Argument(help="The ranker, as `vitrine plugins` lists it.")],
    data: Annotated[Path, typer.Option(help="A data set with times, from `vitrine import` or `simulate`.")],
    config: Annotated[Path | None, typer.Option(help="The configuration that you serve with.")] = None,
    scene: Annotated[str, typer.Option("--scene", "-s", help="The window that it is meant for.")] = "home",
    weight: Annotated[
        float | None,
        typer.Option(
            help="Its weight in the blend; that of the configuration unless told, or a tenth of the say."
        ),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            metavar="DATE",
            formats=_DATES,
            help="First moment of the test window (UTC).  [default: 28 days before its end]",
        ),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            metavar="DATE",
            formats=_DATES,
            help="First moment after it.  [default: the end of the data's last day]",
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Models to try it with, trained on what came before --from; without, some are trained "
            "in seconds, without networks, and kept."
        ),
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain/--no-retrain",
            help="Train the reranker with and without it, in minutes, instead of comparing the blend by weights.",
        ),
    ] = False,
    shoppers: Annotated[
        int, typer.Option(min=1, help="Ask at most so many known and so many new customers.")
    ] = 500,
    work: Annotated[
        Path | None, typer.Option(help="Folder in which trained models are kept.  [default: DATA/.try]")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the same as a page (index.html) and for programs (trial.json)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides who is asked, equal scores and resamples.")] = 0,
) -> None:
    """Shows what a ranking plugin is worth: figures, what it has in common with the others, its time, and ten lists.

    The last four weeks of a data set are held back; everything is measured as of their first moment, through the
    code that serves.

    - `vitrine plugin try cheapest --data data/retail`
    - `vitrine plugin try cheapest --data data/retail --weight 0.1 --out report`
    - `vitrine plugin try cheapest --data data/retail --retrain`
    """
    from vitrine.cli.progress import progress
    from vitrine.config import load_config
    from vitrine.dataset import Dataset
    from vitrine.errors import InvalidInput

    if weight == 0:
        raise InvalidInput("weight", "is 0, which gives it no say; leave it out for a tenth")
    if weight is not None and not isfinite(weight):
        raise InvalidInput("weight", f"is {weight}; make it a number, or leave it out for a tenth of the say")
    if out is not None and out.exists() and not out.is_dir():
        raise InvalidInput("out", f"{out} is a file; name a folder")
    dataset, settings = Dataset.open(data), load_config(config)
    _require(retrain=retrain)
    from vitrine_export.trial import Settings, try_plugin, write

    asked = Settings(
        scene=scene,
        weight=weight,
        start=_moment(start),
        end=_moment(end),
        bundle=bundle,
        work=work,
        retrain=retrain,
        shoppers=shoppers,
        seed=seed,
    )
    # Not into what is piped on.
    with progress(Console(stderr=True)) as report:
        trial = try_plugin(name, dataset, settings, asked, report)
    if out is not None:
        write(trial, out)
    for part in shown(trial, console.width):
        console.print(part)
    console.print(_next(trial, data, out))


def shown(trial: "Trial", width: int) -> Iterator[RenderableType]:
    """A trial for a terminal of so many columns."""
    from vitrine_export.evaluate.report import sentences
    from vitrine_export.evaluate.report import shown as measures

    yield Text(trial.headline, "bold")
    yield Text(trial.decided)
    if trial.weights:
        told = ", ".join(f"{weight:g} in {scene}" for scene, weight in trial.weights.items())
        how = "" if trial.given else ", a tenth of all weights together; --weight tries another"
        yield Text(f"Its weight: {told}{how}.")
    yield from (Text(note, "yellow") for note in trial.notes)
    for table in trial.tables:
        yield Text.assemble("\n", (f"{table.title} ({table.queries:,} queries)", "bold"))
        yield Text(table.note, "dim")
        yield measures(table, trial.plugin, f"with {trial.plugin}", titled=False)
        yield from (Text(line) for line in sentences(table))
    if trial.overlap:
        yield Text("\nWhat it has in common with the others", "bold")
        yield _overlap(trial)
        yield Text(trial.moved)
    yield Text("\nTime of one call", "bold")
    yield _latency(trial)
    yield Text(
        "\nLists without and with it, from the one that changed most to the one that changed least", "bold"
    )
    yield Text("✓ marks what the shopper then took", "dim")
    for example in trial.examples:
        yield from _example(trial, example, width)


def _overlap(trial: "Trial") -> Table:
    from vitrine_export.trial.page import number

    table = Table("ranker", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("has of its top 20", justify="right")
    table.add_column("rank correlation", justify="right")
    for row in trial.overlap:
        table.add_row(Text(row.other), number(row.shared, ".0%"), number(row.correlation, "+.2f"))
    return table


def _latency(trial: "Trial") -> Table:
    table = Table("part", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("candidates", "shoppers", "median ms", "p99 ms", "budget ms"):
        table.add_column(column, justify="right")
    table.add_column("")
    for row in trial.latency:
        state = Text("within", "green") if row.within else Text("over: left out", "red")
        table.add_row(
            row.part,
            f"{row.candidates:,}",
            str(row.shoppers),
            f"{row.median_ms:.2f}",
            f"{row.p99_ms:.2f}",
            f"{row.budget_ms:g}",
            state,
        )
    return table


def _example(trial: "Trial", example: "Example", width: int) -> Iterator[RenderableType]:
    """One shopper: what came last, then the two lists side by side; one list where there is no room for two."""
    # Titles are other people's texts: brackets in them are no markup.
    yield Text.assemble("\n", (example.shopper, "bold"))
    yield _line("last: " + (" · ".join(example.last) or "nothing"))
    if example.basket:
        yield _line("in the basket: " + " · ".join(example.basket))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=True, show_edge=False)
    table.add_column("#", justify="right", width=3)
    both = width >= _NARROW
    if both:
        table.add_column(f"without {trial.plugin}", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("", width=4, justify="right")
    table.add_column(f"with {trial.plugin}", ratio=1, no_wrap=True, overflow="ellipsis")
    for place in range(min(max(len(example.before), len(example.after)), _ROWS)):
        was = example.before[place] if place < len(example.before) else None
        now = example.after[place] if place < len(example.after) else None
        left = [_title(was, gone="red")] if both else []
        table.add_row(str(place + 1), *left, _mark(place + 1, now), _title(now))
    yield table


def _line(text: str) -> RenderableType:
    """One line, however long the text is. A bare `Text` is joined with others and forgets that it must not wrap."""
    return Padding(Text(text, "dim", no_wrap=True, overflow="ellipsis"), 0)


def _title(shown: "Shown | None", gone: str = "") -> Text:
    if shown is None:
        return Text("")
    return Text.assemble(
        ("✓ ", "bold green") if shown.taken else "", (shown.title, "" if shown.was else gone)
    )


def _mark(rank: int, shown: "Shown | None") -> Text:
    from vitrine_export.trial.page import moved

    mark = "" if shown is None else moved(rank, shown.was)
    return Text(mark, "green" if mark[:1] in {"↑", "n"} else "yellow")


def _next(trial: "Trial", data: Path, out: Path | None) -> RenderableType:
    """What was found, and what to do with it."""
    lines = [Text(), Text("What was found", "bold"), *(Text(f"  {line}") for line in trial.verdicts)]
    lines += [
        Text(
            f"  Too slow for its budget with {row.candidates:,} candidates: {row.p99_ms:.1f} ms of {row.budget_ms:g} ms; "
            "a server would answer without it. Score whole columns at once, or declare more.",
            "red",
        )
        for row in trial.slow
    ]
    if trial.lines or trial.retrained or trial.can_retrain or out is not None:
        lines += [Text(), Text("Next", "bold")]
    if trial.lines:
        lines.append(Text("  To serve it like this, write into the configuration:\n"))
        lines.append(Text(indent(trial.lines, "    ") + "\n", "cyan"))
        lines.append(Text("  and ask `vitrine config check FILE` what that does."))
    if trial.retrained:
        lines.append(Text(f"  Then train the reranker that is served: vitrine train {data} --config FILE"))
    if trial.can_retrain:
        lines.append(Text(f"  With the reranker: vitrine plugin try {trial.plugin} --data {data} --retrain"))
    if out is not None:
        lines.append(Text(f"  Written: {out / 'index.html'}, {out / 'trial.json'}"))
    lines.append(Text(trial.footer, "dim"))
    return Text("\n").join(lines)


def _moment(when: datetime | None) -> float | None:
    return None if when is None else when.replace(tzinfo=UTC).timestamp()


def _require(*, retrain: bool) -> None:
    """Checks, before anything is done, that what measures and trains is there; says how to install it."""
    from vitrine.cli.train import require_packages
    from vitrine.errors import ConfigError

    try:
        require_packages(neural=False, rerank=retrain)
    except ConfigError as error:
        hint = ", or leave --retrain out" if "lightgbm" in str(error) else ""
        raise ConfigError(str(error).partition(", or ")[0] + hint) from None
