"""`vitrine load`: fills the catalogue and the profiles."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

console = Console()


def load_command(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A data set (see `vitrine import`).")],
    store: Annotated[
        Path | None,
        typer.Option(help="Fill this store, for a server that is to be started. `store` unless told."),
    ] = None,
    address: Annotated[
        str,
        typer.Option(help="Fill a running server instead: its host and port. All services at one address."),
    ] = "",
    until: Annotated[
        datetime | None,
        typer.Option(
            help="Leave out events from this moment on (UTC).", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The server's configuration.")] = None,
) -> None:
    """Fills the catalogue and the profiles from a data set, through the same code that live updates take.

    Loading twice changes nothing: events are known by their identifiers.

    - `vitrine load data`
    - `vitrine load data --address localhost:50051`
    """
    from vitrine.app.load import load_into_server, load_into_store
    from vitrine.cli.progress import progress
    from vitrine.config import load_config
    from vitrine.dataset import Dataset

    if store and address:
        raise typer.BadParameter("give --store or --address, not both")
    dataset = Dataset.open(data)
    end = until.replace(tzinfo=UTC).timestamp() if until else None
    with progress(console) as report:
        if address:
            done = load_into_server(dataset, address, until=end, progress=report)
        else:
            done = load_into_store(
                dataset, store or Path("store"), load_config(config), until=end, progress=report
            )
    console.print(
        f"{done.items:,} items; {done.accepted:,} events accepted, {done.duplicate:,} known before, "
        f"{done.rejected:,} rejected"
    )
    if done.rejected:
        console.print(Text.assemble(("first rejection", "yellow"), f" {done.first_rejection}"))
    where = (
        f"--address {address}"
        if address
        else f"vitrine serve --bundle {data / 'bundle'} --store {store or 'store'}"
    )
    console.print(Text(f"next: vitrine recommend {where}" if address else f"next: {where}"))
