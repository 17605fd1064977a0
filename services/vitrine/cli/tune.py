"""The command `vitrine tune`."""

import shlex
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from vitrine.cli.progress import progress
from vitrine.cli.train import require_packages
from vitrine.cli.tune_report import Rows, render
from vitrine.errors import ConfigError, InvalidInput

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_MINUTES = 15.0


def tune_command(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="The data set, without what you want to test on.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Where to write what was found, for `--kind`; an older file is replaced.",
        ),
    ] = Path("tuned.toml"),
    kind: Annotated[
        str | None,
        typer.Option(
            help="The kind of data to begin with: sequences, sessions, check-ins, invoices, or a file in their "
            "format, such as one from an earlier tuning.  [default: by what the data has]",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration that you serve with, over that of the kind."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_DATES, help="Look only at what came before this moment (UTC)."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="About how long to search. The lists to compare on are made in this time, too, but are never cut "
            f"short.  [default: {_MINUTES:g}, or no limit with --trials]",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Trials of each search, the first of which is the settings of now; earlier ones of --resume count. "
            "Without --minutes, the same seed then finds the same.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides everything random.")] = 0,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the trials in this folder; the same command again goes on from there, also with more minutes "
            "or trials, whatever ended it.",
        ),
    ] = None,
) -> None:
    """Search for settings that suit the data better than the defaults.

    Three searches, each beginning with what the one before it found: the item-item models (neighbours, half-life,
    ridge, rank, end of a visit), each measured alone on the held-out end of the data; the reranker (leaves, learning
    rate, rows a leaf, ridge, columns a tree), on lists that the serving code makes; and the weights of a front page or
    basket page that has no reranker.

    Some shoppers are there to choose on. In the end the best is compared with what was there before on others, and is
    taken only where the whole 95 % interval of its gain lies above 0: otherwise the default stays, and the file says
    so. Nothing after --until is looked at, so that a later test is honest. docs/training.md says more.

    A quarter of an hour, for a shop's own logs; then train with what was found:

    - `vitrine tune --data data/shop --out shop-kind.toml`
    - `vitrine train data/shop --kind shop-kind.toml`

    Such that it can be stopped by anything, and go on for longer:

    - `vitrine tune --data data/shop --minutes 60 --resume data/tuning`

    The same result each time, and nothing of September seen:

    - `vitrine tune --data data/retail --until 2011-09-01 --trials 30 --seed 1`

    Sessions without times, beginning with the settings for those:

    - `vitrine tune --data data/clicks --kind sessions`
    """
    from vitrine.dataset import Dataset

    dataset = Dataset.open(data)
    _refuse_unwritable(out)
    _require_packages()
    from vitrine_export.kinds import Kind, kind_for
    from vitrine_export.tuning import tune
    from vitrine_export.tuning.toml import tables_of

    chosen = Kind.load(kind or kind_for(dataset.has))
    console = Console()
    if minutes is None and trials is None:
        minutes = _MINUTES
    try:
        with progress(console) as report:
            done = tune(
                dataset,
                until=until,
                parameters=chosen.parameters,
                config=chosen.config(config),
                tables=tables_of(chosen.parameters, chosen.serving),
                seed=seed,
                minutes=minutes,
                trials=trials,
                resume=resume,
                progress=report,
                told=Rows(console),
            )
    except KeyboardInterrupt:
        console.print(
            Text(f"Stopped before anything was measured. {out} is as it was.{_again(resume)}", "yellow")
        )
        raise typer.Exit(130) from None
    _write(out, done.toml())
    console.print(render(done, data, out))
    if done.stopped:
        console.print(Text(f"Stopped; what was found until then is in {out}.{_again(resume)}", "yellow"))
        raise typer.Exit(130)


def _require_packages() -> None:
    """Checks, before anything is done, that what tuning imports is there."""
    try:
        require_packages(neural=False, rerank=True)
    except ConfigError as error:
        # Without the reranker there is little to tune.
        raise ConfigError(str(error).partition(", or ")[0].replace("training", "tuning", 1)) from None
    if find_spec("optuna") is None:
        raise ConfigError(
            "tuning needs optuna, which is not installed; run `pip install 'vitrine-recommender[train]'`"
        )


def _refuse_unwritable(out: Path) -> None:
    """Refuses a place for the file before anything is searched."""
    if out.is_dir():
        raise InvalidInput("out", f"{out} is a folder; name a file such as {out / 'tuned.toml'}")
    if not out.parent.is_dir():
        raise InvalidInput("out", f"{out.parent} is not there; make it, or name another file")


def _write(out: Path, text: str) -> None:
    from vitrine_export.resumed import write_whole

    try:
        write_whole(out, text.encode())
    except OSError as error:
        raise InvalidInput("out", f"{out} cannot be written ({error.strerror}); name another file") from None


def _again(resume: Path | None) -> str:
    """How to go on."""
    if resume is None:
        return " Trials were not kept; with --resume DIR they are, and the same command goes on from there."
    return f" To go on, give the same command:\n  {shlex.join(['vitrine', *sys.argv[1:]])}"
