"""`vitrine demo`: a shop from nothing to a window that changes with every event, in a few minutes."""

import os
import shutil
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.panel import Panel

if TYPE_CHECKING:  # gRPC is not loaded for --help
    from vitrine.bundle import Manifest

console = Console()

DEMO_SEED = 7
# One window is enough to learn from here, and each of them trains an interest model.
_LABEL_WINDOWS, _EPOCHS = 1, 6


def demo_command(
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo keeps what it makes.")] = Path(
        ".demo"
    ),
    shoppers: Annotated[int, typer.Option(help="Shoppers to simulate.")] = 2_000,
    items: Annotated[int, typer.Option(help="Products to simulate.")] = 1_000,
    days: Annotated[int, typer.Option(help="Days of history to simulate.")] = 60,
) -> None:
    """Simulates a shop, trains, fills the stores, serves, and shows one shopper's window before and after events.

    What is there from an earlier run is used again; delete the directory to start over.
    """
    from vitrine.app.process import ServerProcess
    from vitrine.cli.demo_window import show

    started = time.monotonic()
    data, bundle, store = directory / "data", directory / "bundle", directory / "store"
    _say(1, f"A shop: {shoppers:,} shoppers, {items:,} products, {days} days")
    _simulate(data, shoppers=shoppers, items=items, days=days)
    _say(2, "Training")
    _train(data, bundle)
    _say(3, "Filling the stores: catalogue and profiles")
    _fill(data, store)

    # The demo sends events; they go to a copy, so that the next run begins where this one did.
    live = directory / "live"
    shutil.rmtree(live, ignore_errors=True)
    shutil.copytree(store, live)
    _say(4, "Serving: four services in one process")
    with ServerProcess(bundle=bundle, store=live, as_of=_end(data)) as server:
        console.print(f"  listening on {server.address}, ready after {server.ready_seconds:.1f} s")
        show(server.address, data, _say, console)
    _say(7, f"Done in {time.monotonic() - started:.0f} s. Try next")
    console.print(Panel.fit(_next(directory, data, bundle, live), title="in two terminals"))


def _simulate(data: Path, *, shoppers: int, items: int, days: int) -> None:
    from vitrine.cli.progress import progress
    from vitrine.dataset import Dataset
    from vitrine_export.simulate import simulate

    if (data / "dataset.json").exists():
        console.print("  there from an earlier run")
    else:
        with progress(console) as report:
            simulate(data, shoppers=shoppers, items=items, days=days, seed=DEMO_SEED, progress=report)
    manifest = Dataset.open(data).manifest
    console.print(f"  {manifest.events:,} events on {manifest.items:,} products until {manifest.last_time}")


def _train(data: Path, bundle: Path) -> None:
    from vitrine.cli.progress import progress
    from vitrine.cli.train import require_packages
    from vitrine.cli.train_report import of_bundle, of_training, save_picture
    from vitrine.dataset import Dataset

    if (manifest := _trained(bundle)) is not None:
        console.print("  there from an earlier run")
        console.print(of_bundle(manifest))
        return
    require_packages(neural=True, rerank=True)
    from vitrine_export.train import Parameters, train

    with progress(console) as report:
        parameters = Parameters(label_windows=_LABEL_WINDOWS, interest_epochs=_EPOCHS)
        done = train(Dataset.open(data), bundle, parameters=parameters, progress=report)
    console.print(of_training(done, save_picture(done)))


def _trained(bundle: Path) -> "Manifest | None":
    """The manifest of an earlier run; nothing where there is none that this version reads."""
    from vitrine.bundle.manifest import MANIFEST, decode_manifest
    from vitrine.errors import BundleError

    path = bundle / MANIFEST
    try:
        return decode_manifest(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except BundleError:
        console.print("  what an earlier run left here is of another version of Vitrine")
        return None


def _fill(data: Path, store: Path) -> None:
    from vitrine.app.load import load_into_store
    from vitrine.cli.progress import progress
    from vitrine.config import load_config
    from vitrine.dataset import Dataset

    if (store / "loaded").exists():
        console.print("  there from an earlier run")
        return
    shutil.rmtree(store, ignore_errors=True)
    with progress(console) as report:
        load_into_store(Dataset.open(data), store, load_config(), progress=report)
    (store / "loaded").touch()


def _next(directory: Path, data: Path, bundle: Path, live: Path) -> str:
    vitrine, end = _program(), _end(data)
    week = datetime.fromisoformat(end) - timedelta(days=7)
    return (
        f"{vitrine} serve --bundle {bundle} --store {live} --as-of {end}\n"
        f"{vitrine} recommend --scene search --query 咖啡\n"
        f"{vitrine} recommend --scene search --query coffee --scores\n"
        f"{vitrine} evaluate --data {data} --from {week:%Y-%m-%d} --to {end[:10]} "
        f"--out {directory / 'report'}\n"
        f"{vitrine} train --help           # every model, and how to resume\n"
        f"{vitrine} import --help          # bring your own logs"
    )


def _program() -> str:
    """How to call this program again: by name, or by path where the environment is not active."""
    found = shutil.which("vitrine")
    return "vitrine" if found and Path(found).samefile(sys.argv[0]) else os.path.relpath(sys.argv[0])


def _end(data: Path) -> str:
    """The moment after the last event, ISO 8601."""
    from vitrine.dataset import Dataset

    last = Dataset.open(data).manifest.last_time
    if last is None:
        raise typer.BadParameter("the data set has no times")
    return (datetime.fromisoformat(str(last)) + timedelta(minutes=1)).isoformat()


def _say(step: int, what: str) -> None:
    console.rule(f"[bold]{step}[/] {what}", align="left")
