"""The command `vitrine train`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vitrine.cli.progress import progress
from vitrine.errors import ConfigError

if TYPE_CHECKING:
    from vitrine_export.train import TrainReport

_WHAT = {
    "co_visitation": "items that go together",
    "linear": "items that predict each other",
    "content": "items with similar texts",
}


def train_command(
    data: Annotated[
        Path, typer.Argument(help="Folder of the data set, from `vitrine import` or `simulate`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the bundle; an older bundle in it is replaced.  [default: DATA/bundle]"),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="Learn only from what came before this moment (UTC).",
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(help="An ONNX sentence encoder, with tokenizer.json beside it, for content vectors."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides everything random.")] = 0,
    dimensions: Annotated[int, typer.Option(min=2, max=1024, help="Length of a content vector.")] = 64,
    neighbours: Annotated[int, typer.Option(min=1, max=1000, help="Items that may lead to each item.")] = 100,
    half_life_days: Annotated[
        float, typer.Option(min=0.01, help="Age at which an interaction counts half.")
    ] = 90.0,
    ridge: Annotated[
        float | None,
        typer.Option(min=0.001, help="Ridge of the linear model; chosen by validation when not told."),
    ] = None,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate", help="Measure on the last weeks, which costs about as much again."
        ),
    ] = True,
) -> None:
    """Train on a data set and write a bundle to serve.

    What the data lacks is off, and said to be. The same data, settings and seed give the same bundle version.

    - `vitrine train data/shop`
    - `vitrine train data/retail --until 2011-09-01 --out bundles/august`
    - `vitrine train data/shop --encoder minilm/model.onnx`
    """
    from vitrine.dataset import Dataset

    dataset = Dataset.open(data)
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError(
            "training needs scikit-learn, which is not installed; run `pip install 'vitrine-recommender[train]'`"
        ) from None
    from vitrine_export.train import Parameters, train

    parameters = Parameters(
        dimensions=dimensions,
        neighbours=neighbours,
        half_life_days=half_life_days,
        ridge=ridge,
        validate=validate,
    )
    console = Console()
    with progress(console) as report:
        done = train(
            dataset,
            out or data / "bundle",
            until=until,
            parameters=parameters,
            seed=seed,
            encoder=encoder,
            progress=report,
        )
    console.print(render(done, data))


def render(report: "TrainReport", data: Path) -> RenderableType:
    """What was trained, how good it is, and what to run next."""
    manifest = report.manifest
    size = sum(entry.bytes for entry in manifest.files.values())
    head = (
        f"Bundle {manifest.version} in {report.out}: {manifest.items:,} items, {manifest.window.events:,} events of "
        f"{manifest.window.subjects:,} shoppers, {size / 1e6:,.1f} MB, {report.seconds:,.1f} s"
    )
    table = Table("part", "what it finds", "size", "Recall@20")
    for part, what in _WHAT.items():
        if part in manifest.off:
            table.add_row(part, what, "off", manifest.off[part])
            continue
        entries = (
            f"{report.neighbours[part]:,} neighbours"
            if part in report.neighbours
            else f"{report.dimensions} numbers"
        )
        measured = manifest.metrics.get(f"recall@20_{part}")
        table.add_row(part, what, entries, "" if measured is None else f"{measured:.4f}")
    parts: list[RenderableType] = [Text(head), table]
    if (popular := manifest.metrics.get("recall@20_popular")) is not None:
        shoppers = int(manifest.metrics["validation_subjects"])
        parts.append(
            Text(
                f"Recall@20 of what {shoppers:,} shoppers newly turned to in the {report.held_out}, by models fitted to "
                f"what came before; what was popular reaches {popular:.4f}. The bundle itself is fitted to all of it."
            )
        )
    if "validation" in manifest.off:
        parts.append(Text(f"Nothing was measured: {manifest.off['validation']}."))
    parts.append(Text(f"Next: vitrine load {data}, then vitrine serve --bundle {report.out}"))
    return Group(*parts)
