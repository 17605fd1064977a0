"""`vitrine evaluate`: what the recommendations are worth."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from vitrine.cli.train import TRIALS, require_packages, tuning_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vitrine_export.evaluate import Task

console = Console()

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


class Protocol(StrEnum):
    """How the data is split."""

    TEMPORAL = "temporal"
    LEAVE_ONE_OUT = "leave-one-out"
    FIXED_SPLIT = "fixed-split"
    SESSIONS = "sessions"


# Which options a protocol needs, which it may have besides, and the kind of data that it is for.
_NEEDS = {
    Protocol.TEMPORAL: (("data", "from", "to"), (), "invoices"),
    Protocol.LEAVE_ONE_OUT: (("sequences",), ("items",), "sequences"),
    Protocol.FIXED_SPLIT: (("train", "test"), ("items",), "check-ins"),
    Protocol.SESSIONS: (("train", "test"), ("items",), "sessions"),
}


def evaluate_command(
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="`temporal` trains before --from and tests on what follows; `leave-one-out` asks for each user's last "
            "item; `fixed-split` has a file to learn from and one with the answers; `sessions` asks for the next item "
            "after each prefix of a visit."
        ),
    ] = Protocol.TEMPORAL,
    data: Annotated[Path | None, typer.Option(help="A data set (see `vitrine import`); temporal.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DATES, help="First moment of the test window (UTC); temporal."),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=_DATES, help="First moment after it (UTC); temporal.")
    ] = None,
    sequences: Annotated[
        Path | None,
        typer.Option(help="Lines of `user item item …`, oldest first; leave-one-out."),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help="What may be learned from. fixed-split: lines of `user item item …`; sessions: of `item item …`, "
            "one visit each."
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            help="What is asked for. fixed-split: lines of `user item item …`; sessions: of `item item … TAB target`."
        ),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(
            help="What is known of the items: item_id, title, attributes (Parquet, CSV, JSON Lines)."
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Measure these models instead of training; they must not have seen the answers."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for report.html, report.md, metrics.json, targets.parquet and the bundle."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Parquet file for the lists: query (user, or line of the test file from 0), rank, item, score."
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="Length of the lists.")] = 20,
    seed: Annotated[int, typer.Option(help="Decides everything random.")] = 0,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Kind of data (invoices, sequences, sessions, check-ins) or a file that `vitrine tune` wrote; by the "
            "protocol unless told."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The server's configuration, over that of the kind.")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Settings of the reranker that training tries by itself, the kind's own among them, on what it holds "
            f"out of what may be learned from; 0: none but those.  [default: what the file of --kind says, or {TRIALS}]",
        ),
    ] = None,
    tune_minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="The most minutes for these trials. Where it strikes, the same seed no longer gives the same table.",
        ),
    ] = None,
    ablation: Annotated[
        bool,
        typer.Option("--ablation/--no-ablation", help="Measure the pipeline without each of its parts, too."),
    ] = True,
) -> None:
    """Measures the pipeline, its parts and simple baselines on a part of the data that training never saw.

    Lists come from the code that serves. Definitions and protocols: docs/evaluation.md.

    - `vitrine evaluate --data data/retail --from 2011-09-01 --to 2011-10-01 --out report`
    - `vitrine evaluate --protocol leave-one-out --sequences sequences.txt --items items.parquet --out report`
    - `vitrine evaluate --protocol fixed-split --train train.txt --test test.txt --out report`
    - `vitrine evaluate --protocol sessions --train sessions.txt --test prefixes.tsv --out report`
    """
    from vitrine.cli.progress import progress
    from vitrine.dataset import Dataset
    from vitrine.errors import ConfigError

    files = {"sequences": sequences, "train": train, "test": test, "items": items}
    _check(protocol, {"data": data, "from": start, "to": end, **files})

    def check_packages(*, tune: bool) -> None:
        try:
            require_packages(neural=True, rerank=True, tune=tune)
        except ConfigError as error:
            raise ConfigError(f"{str(error).partition(', or ')[0]}, or give --bundle") from None

    if bundle is None:
        check_packages(tune=False)
    from vitrine_export.evaluate import evaluate_tasks, evaluate_temporal
    from vitrine_export.kinds import Kind

    chosen = Kind.load(kind or _NEEDS[protocol][2])
    tuning = tuning_of(chosen, trials, tune_minutes, usual=TRIALS)
    if bundle is None:
        check_packages(tune=tuning["trials"] > 1)
    settings: dict[str, Any] = {
        "bundle": bundle,
        "out": out,
        "predictions_file": predictions,
        "parameters": replace(chosen.parameters, **tuning),
        "config": chosen.config(config),
        "k": k,
        "seed": seed,
        "ablation": ablation,
    }
    with progress(console) as shown:
        if data is not None and start is not None and end is not None:
            first, after = (moment.replace(tzinfo=UTC).timestamp() for moment in (start, end))
            found = evaluate_temporal(Dataset.open(data), start=first, end=after, progress=shown, **settings)
        else:
            found = evaluate_tasks(_tasks(protocol, files), progress=shown, **settings)
    console.print(found.render())
    written = [str(path) for path in (out, predictions) if path]
    if written:
        console.print(f"written: {', '.join(written)}")


def _check(protocol: Protocol, given: dict[str, object]) -> None:
    """Refuses options that are missing, and those of another protocol."""
    from vitrine.errors import InvalidInput

    needs, may, _ = _NEEDS[protocol]
    wanted = ", ".join(f"--{name}" for name in needs)
    for name, value in given.items():
        if value is None and name in needs:
            raise InvalidInput(name, f"is missing; `--protocol {protocol}` needs {wanted}")
        if value is not None and name not in (*needs, *may):
            raise InvalidInput(name, f"is not for `--protocol {protocol}`, which needs {wanted}")


def _tasks(protocol: Protocol, files: dict[str, Path | None]) -> "Callable[[Path], Sequence[Task]]":
    """What makes the tasks of a protocol out of its files, given a folder for data sets."""
    from vitrine_export.evaluate import fixed_split, leave_one_out, sessions

    makers: dict[Protocol, Callable[..., Sequence[Task]]] = {
        Protocol.LEAVE_ONE_OUT: leave_one_out,
        Protocol.FIXED_SPLIT: fixed_split,
        Protocol.SESSIONS: sessions,
    }
    needs, may, _ = _NEEDS[protocol]
    return partial(makers[protocol], *(files[name] for name in (*needs, *may)))
