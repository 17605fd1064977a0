"""The command `vitrine train`."""

import shlex
import sys
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from vitrine.cli.progress import progress
from vitrine.errors import ConfigError

if TYPE_CHECKING:
    from vitrine_export.kinds import Kind

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_MODELS, _FITTING, _RUNNING = "Which models", "How they are fitted", "How training runs"

# Module -> what pip calls it.
_ALWAYS = {"sklearn": "scikit-learn", "scipy": "scipy"}
_RERANKING = {"lightgbm": "lightgbm"}
_TUNING = {"optuna": "optuna"}
# Settings that are tried where it is only said how long.
TRIALS = 8
_NETWORKS = {"torch": "torch", "onnx": "onnx", "onnxscript": "onnxscript"}


class DeviceName(StrEnum):
    """Where networks are trained."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def train_command(
    context: typer.Context,
    data: Annotated[
        Path, typer.Argument(help="Folder of the data set, from `vitrine import` or `simulate`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the bundle; an older bundle in it is replaced.  [default: DATA/bundle]"),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_DATES, help="Learn only from what came before this moment (UTC)."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Settings to begin with: of a kind of data (sequences, sessions, check-ins, invoices), or a file from "
            "`vitrine tune`; by what the data has unless told. Options that are given win.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration that you serve with: its scenes make the lists to learn from."),
    ] = None,
    neural: Annotated[
        bool,
        typer.Option(
            "--neural/--no-neural",
            help="The networks: the interest model and the deep ranker. Without, torch is not needed.",
            rich_help_panel=_MODELS,
        ),
    ] = True,
    rerank: Annotated[
        bool,
        typer.Option(
            "--rerank/--no-rerank",
            help="What learns from lists: the deep ranker and the LightGBM reranker. It takes most of the time.",
            rich_help_panel=_MODELS,
        ),
    ] = True,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="An ONNX sentence encoder, with tokenizer.json beside it, for content vectors.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    label_windows: Annotated[
        int,
        typer.Option(
            min=1,
            max=20,
            help="From how many stretches at the end of the data, of at most four weeks each, lists are learned "
            "from; base models are fitted before each.",
            rich_help_panel=_FITTING,
        ),
    ] = 3,
    interest_epochs: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            help="The most rounds of one fit of the interest model; it stops earlier when rounds bring nothing better.",
            rich_help_panel=_FITTING,
        ),
    ] = 6,
    interest_minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="The most minutes for one fit of the interest model; there is one a label window and one at the "
            "end (two with --no-rerank). Where it strikes, the same seed no longer gives the same bundle.",
            rich_help_panel=_FITTING,
        ),
    ] = None,
    dimensions: Annotated[
        int, typer.Option(min=2, max=1024, help="Length of a content vector.", rich_help_panel=_FITTING)
    ] = 64,
    neighbours: Annotated[
        int, typer.Option(min=1, max=1000, help="Items that may lead to each item.", rich_help_panel=_FITTING)
    ] = 100,
    half_life_days: Annotated[
        float,
        typer.Option(min=0.01, help="Age at which an interaction counts half.", rich_help_panel=_FITTING),
    ] = 90.0,
    ridge: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Ridge of the linear model; chosen by validation when not told.",
            rich_help_panel=_FITTING,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Settings of the reranker to try, those of the kind among them, on shoppers that are held out; the best "
            f"is used where it is surely better. 0: none but those. `vitrine evaluate` tries {TRIALS}.  [default: what "
            f"the file of --kind says, or {TRIALS} with --tune-minutes, else 0]",
            rich_help_panel=_FITTING,
        ),
    ] = None,
    tune_minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="The most minutes for these trials. Where it strikes, the same seed no longer gives the same bundle.",
            rich_help_panel=_FITTING,
        ),
    ] = None,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate",
            help="Measure the item-item models on the last weeks, and choose the ridge there.",
            rich_help_panel=_FITTING,
        ),
    ] = True,
    seed: Annotated[int, typer.Option(help="Decides everything random.", rich_help_panel=_RUNNING)] = 0,
    device: Annotated[
        DeviceName,
        typer.Option(
            help="Where networks are trained: `auto` takes an NVIDIA GPU where there is one.",
            rich_help_panel=_RUNNING,
        ),
    ] = DeviceName.AUTO,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep finished steps in this folder; the same command again goes on from there. It is removed "
            "when all is done.",
            rich_help_panel=_RUNNING,
        ),
    ] = None,
) -> None:
    """Train on a data set and write a bundle to serve.

    Base models come first, then what learns from the lists that they make. What the data lacks is off, and said to
    be. The same data, settings and seed give the same models on one kind of machine. docs/training.md says what each
    model is.

    All that the data allows; writes data/shop/bundle and a picture of how it learned beside it:

    - `vitrine train data/shop`

    In seconds and without torch, for a first look:

    - `vitrine train data/shop --no-neural --no-rerank`

    For a server with scenes of its own, and such that it can be stopped and go on:

    - `vitrine train data/shop --config shop.toml --resume data/work`

    As if it were another day, to measure on what followed:

    - `vitrine train data/retail --until 2011-09-01 --out bundles/august`

    With settings that suit the data better, if there are any:

    - `vitrine tune --data data/shop --out tuned.toml`
    - `vitrine train data/shop --kind tuned.toml`

    With a sentence encoder for texts, and no more than five minutes for a network:

    - `vitrine train data/shop --encoder minilm/model.onnx --interest-minutes 5`
    """
    from vitrine.dataset import Dataset

    options: dict[str, Any] = {
        "dimensions": dimensions,
        "neighbours": neighbours,
        "half_life_days": half_life_days,
        "ridge": ridge,
        "validate": validate,
        "neural": neural,
        "rerank": rerank,
        "label_windows": label_windows,
        "device": device.value,
        "interest_epochs": interest_epochs,
        "interest_minutes": interest_minutes,
    }
    dataset = Dataset.open(data)
    require_packages(neural=False, rerank=False)
    from vitrine_export.kinds import Kind, kind_for

    chosen = Kind.load(kind or kind_for(dataset.has))
    given = {name: value for name, value in options.items() if _is_given(context, name)}
    given |= tuning_of(chosen, trials, tune_minutes, usual=0)
    parameters, settings = replace(chosen.parameters, **given), chosen.config(config)
    require_packages(
        neural=parameters.neural, rerank=parameters.rerank, tune=parameters.rerank and parameters.trials > 1
    )
    from vitrine.cli.train_report import render, save_picture
    from vitrine_export.train import train

    console, bundle = Console(), out or data / "bundle"
    try:
        with progress(console) as report:
            done = train(
                dataset,
                bundle,
                until=until,
                parameters=parameters,
                seed=seed,
                encoder=encoder,
                config=settings,
                resume=resume,
                progress=report,
            )
    except KeyboardInterrupt:
        console.print(Text(interrupted(bundle, resume), "yellow"))
        raise typer.Exit(130) from None
    console.print(render(done, data, save_picture(done)))
    if chosen.serving:
        off = done.manifest.off
        file, gone = chosen.write_serving(bundle, off), chosen.lacking(off)
        how = (
            f"Serve it with --config {file}: the scenes of {chosen.name}, which it was trained for."
            if config is None
            else f"It was trained for the scenes of {chosen.name}, too: before you serve it, copy from {file} into "
            f"{config} what that does not say."
        )
        console.print(Text(how))
        for scene, parts in gone.items():
            console.print(
                Text(f"Scene '{scene}' goes without what this bundle has no part for: {', '.join(parts)}.")
            )


def tuning_of(kind: "Kind", trials: int | None, minutes: float | None, usual: int) -> dict[str, Any]:
    """How many settings a training tries, and how long: what was given, else what the file of the kind says.

    Args:
        kind: The kind of data.
        trials: The option, if it was given.
        minutes: Likewise.
        usual: How many there are where nobody says anything.
    """
    file, until = kind.parameters, kind.parameters.tune_minutes if minutes is None else minutes
    if trials is None and "trials" in kind.given and (minutes is None or file.trials > 1):
        trials = file.trials
    if trials is None:
        # Minutes alone ask for trials, too.
        trials = usual if until is None else TRIALS
    return {"trials": trials, "tune_minutes": until}


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def require_packages(*, neural: bool, rerank: bool, tune: bool = False) -> None:
    """Checks, before anything is done, that what training imports is there.

    Raises:
        ConfigError: Something is missing; says how to install it, and how to do without.
    """
    base = _missing(_ALWAYS | (_RERANKING if rerank else {}) | (_TUNING if tune else {}))
    networks = _missing(_NETWORKS) if neural else []
    missing = [*base, *networks]
    if not missing:
        return
    names = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
    text = (
        f"training needs {names}, which {'are' if len(missing) > 1 else 'is'} not installed; run "
        "`pip install 'vitrine-recommender[train]'`"
    )
    if base == ["lightgbm"]:
        text += ", or leave the reranker out with --no-rerank"
    if base == ["optuna"]:
        text += ", or try nothing with --trials 0"
    if networks and not base:
        text += ", or add --no-neural: that works without torch"
    raise ConfigError(text)


def interrupted(out: Path, resume: Path | None) -> str:
    """What to tell who stopped a training."""
    left = f"Stopped. {out} is as it was before."
    if resume is None:
        return f"{left} Nothing was kept; with --resume DIR, finished steps are, and the same command goes on from there."
    return (
        f"{left} What is finished is kept in {resume}. To go on, give the same command:\n"
        f"  {shlex.join(['vitrine', *sys.argv[1:]])}"
    )


def _missing(wanted: dict[str, str]) -> list[str]:
    return [package for module, package in wanted.items() if find_spec(module) is None]
