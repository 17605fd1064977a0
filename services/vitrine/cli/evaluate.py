"""`vitrine evaluate`: what the recommendations are worth."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


class Protocol(StrEnum):
    """How the data is split."""

    TEMPORAL = "temporal"


def evaluate_command(
    data: Annotated[Path, typer.Option(help="A data set (see `vitrine import`).")],
    start: Annotated[
        datetime, typer.Option("--from", formats=_DATES, help="First moment of the test window (UTC).")
    ],
    end: Annotated[datetime, typer.Option("--to", formats=_DATES, help="First moment after it (UTC).")],
    protocol: Annotated[
        Protocol,
        typer.Option(help="How to split: `temporal` trains before --from and tests on what follows."),
    ] = Protocol.TEMPORAL,
    train: Annotated[
        bool, typer.Option("--train", help="Train on what came before; done anyway without --bundle.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Measure these models instead; they must not have seen the test window."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for metrics.json, report.md, targets.parquet and the bundle.")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Parquet file for the lists: query, rank, item, score.")
    ] = None,
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="Length of the lists.")] = 20,
    seed: Annotated[
        int, typer.Option(help="Decides halves of baskets, equal scores and bootstrap resamples.")
    ] = 0,
    config: Annotated[Path | None, typer.Option(help="The server's configuration.")] = None,
    ablation: Annotated[
        bool,
        typer.Option("--ablation/--no-ablation", help="Measure the pipeline without each of its parts, too."),
    ] = True,
) -> None:
    """Measures the pipeline, its parts and simple baselines on a part of the data that training never saw.

    Lists come from the code that serves. Definitions and protocol: docs/evaluation.md.

    - `vitrine evaluate --data data/retail --from 2011-09-01 --to 2011-10-01 --train --out report`
    - `vitrine evaluate --data data/shop --from 2026-10-25 --to 2026-11-01 --bundle bundles/october`
    """
    from vitrine.cli.progress import progress
    from vitrine.cli.train import require_packages
    from vitrine.config import load_config
    from vitrine.dataset import Dataset
    from vitrine.errors import ConfigError

    del protocol  # there is one so far
    if train and bundle:
        raise ConfigError("give --train or --bundle, not both")
    dataset, settings = Dataset.open(data), load_config(config)
    if bundle is None:
        try:
            require_packages(neural=True, rerank=True)
        except ConfigError as error:
            raise ConfigError(f"{str(error).partition(', or ')[0]}, or give --bundle") from None
    from vitrine_export.evaluate import evaluate_temporal

    with progress(console) as report:
        found = evaluate_temporal(
            dataset,
            start=start.replace(tzinfo=UTC).timestamp(),
            end=end.replace(tzinfo=UTC).timestamp(),
            bundle=bundle,
            out=out,
            predictions_file=predictions,
            config=settings,
            k=k,
            seed=seed,
            ablation=ablation,
            progress=report,
        )
    console.print(found.render())
    written = [str(path) for path in (out, predictions) if path]
    if written:
        console.print(f"written: {', '.join(written)}")
