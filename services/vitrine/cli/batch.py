"""`vitrine batch`: windows for many shoppers, as a Parquet file."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()


def batch_command(
    data: Annotated[Path, typer.Option(help="A data set (see `vitrine import`).")],
    users: Annotated[
        Path,
        typer.Option(
            help="For whom: a text file with one user id a line, or Parquet or CSV with a column user_id."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The Parquet file to write: query, rank, item, score, reason.")],
    bundle: Annotated[
        Path | None, typer.Option(help="The trained models; DATA/bundle unless told, where there is one.")
    ] = None,
    scene: Annotated[str, typer.Option("--scene", "-s", help="Which window.")] = "home",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many items each.")] = 20,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            help="Answer for this moment (UTC), from what came before it; the end of the data unless told.",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The server's configuration.")] = None,
) -> None:
    """Ranks for many shoppers at once, through the code that serves, without a server.

    Somebody that the data does not know gets what is popular.

    - `vitrine batch --data data/shop --users users.txt --limit 20 --out windows.parquet`
    - `vitrine batch --data data/shop --users vip.csv --scene buy_again --out vip.parquet`
    """
    from vitrine.app.batch import read_users, recommend_batch
    from vitrine.app.offline import OfflineShop
    from vitrine.bundle import load_bundle
    from vitrine.cli.progress import progress
    from vitrine.config import load_config
    from vitrine.dataset import Dataset
    from vitrine.errors import InvalidInput
    from vitrine.progress import part_of

    dataset, settings, subjects = Dataset.open(data), load_config(config), read_users(users)
    folder = bundle or data / "bundle"
    models = load_bundle(folder, settings.inference) if bundle or folder.exists() else None
    if models is None:
        console.print(
            f"[yellow]no bundle[/] at {folder}: `vitrine train {data}` makes one; ranking by sources alone"
        )
    moment = as_of.replace(tzinfo=UTC).timestamp() if as_of else None
    started = time.monotonic()
    with progress(console) as report:
        shop = OfflineShop.open(dataset, settings, models, until=moment, progress=part_of(report, 0.0, 0.3))
        windows = recommend_batch(shop, subjects, scene, limit, part_of(report, 0.3, 1.0))
        unknown = sum(f"u:{user}" not in shop.memory.profiles.states for user in subjects)
        shop.close()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        windows.write_parquet(out)
    except OSError as error:
        raise InvalidInput("out", f"cannot write {out}: {error.strerror or error}") from error
    seconds = time.monotonic() - started
    console.print(
        f"{len(windows):,} items for {len(subjects):,} shoppers ({unknown:,} of them unknown) "
        f"in {seconds:.1f} s, written to {out}"
    )
