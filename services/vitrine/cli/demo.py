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

from vitrine.cli.recommend import window_table

if TYPE_CHECKING:  # gRPC is not loaded for --help
    from vitrine.api.recommendation.v1 import recommendation_pb2
    from vitrine.client import Vitrine

console = Console()

DEMO_SEED = 7


def demo_command(
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo keeps what it makes.")] = Path(
        ".demo"
    ),
    shoppers: Annotated[int, typer.Option(help="Shoppers to simulate.")] = 3_000,
    items: Annotated[int, typer.Option(help="Products to simulate.")] = 2_000,
    days: Annotated[int, typer.Option(help="Days of history to simulate.")] = 90,
) -> None:
    """Simulates a shop, trains, fills the stores, serves, and shows one shopper's window before and after events.

    What is there from an earlier run is used again; delete the directory to start over.
    """
    from vitrine.app.process import ServerProcess

    started = time.monotonic()
    data, bundle, store = directory / "data", directory / "bundle", directory / "store"
    _prepare(data, bundle, store, shoppers=shoppers, items=items, days=days)

    # The demo sends events; they go to a copy, so that the next run begins where this one did.
    live = directory / "live"
    shutil.rmtree(live, ignore_errors=True)
    shutil.copytree(store, live)
    _say(4, "Serving: four services in one process")
    with ServerProcess(bundle=bundle, store=live, as_of=_end(data)) as server:
        console.print(f"  listening on {server.address}, ready after {server.ready_seconds:.1f} s")
        _say(5, "One shopper, before and after")
        _show(server.address, data)
    _say(6, f"Done in {time.monotonic() - started:.0f} s. Try next")
    console.print(
        Panel.fit(
            f"{_program()} serve --bundle {bundle} --store {live} --as-of {_end(data)}\n"
            f"{_program()} recommend --scene search --query 咖啡\n"
            f"{_program()} recommend --scene search --query coffee --scores\n"
            f"{_program()} evaluate --protocol temporal --data {data} --from 2026-10-25 --to 2026-11-01 --train "
            f"--out {directory / 'report'}\n"
            f"{_program()} plugins\n"
            f"{_program()} import --help          # bring your own logs",
            title="in two terminals",
        )
    )


def _prepare(data: Path, bundle: Path, store: Path, *, shoppers: int, items: int, days: int) -> None:
    from vitrine.app.load import load_into_store
    from vitrine.cli.progress import progress
    from vitrine.config import load_config
    from vitrine.dataset import Dataset
    from vitrine_export.simulate import simulate
    from vitrine_export.train import train

    _say(1, f"A shop: {shoppers:,} shoppers, {items:,} products, {days} days")
    if (data / "dataset.json").exists():
        console.print("  there from an earlier run")
    else:
        with progress() as report:
            simulate(data, shoppers=shoppers, items=items, days=days, seed=DEMO_SEED, progress=report)
    manifest = Dataset.open(data).manifest
    console.print(f"  {manifest.events:,} events on {manifest.items:,} products until {manifest.last_time}")

    _say(2, "Training")
    if (bundle / "manifest.json").exists():
        console.print("  there from an earlier run")
    else:
        with progress() as report:
            train(Dataset.open(data), bundle, progress=report)

    _say(3, "Filling the stores: catalogue and profiles")
    if (store / "loaded").exists():
        console.print("  there from an earlier run")
    else:
        shutil.rmtree(store, ignore_errors=True)
        with progress() as report:
            load_into_store(Dataset.open(data), store, load_config(), progress=report)
        (store / "loaded").touch()


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


def _show(address: str, data: Path) -> None:
    """The window of a shopper who knows what they want, then of the same shopper after a change of mind."""
    from vitrine.client import Vitrine, event

    with Vitrine(address) as shop:
        who, other = _choose(data)
        before = _window(shop, who, f"{who} · home · before")
        hidden = before.items[0].item_id
        looked = ", ".join(other)
        console.print(
            f"\n  Now {who} looks at {looked}, puts {other[0]} into the basket, buys {other[1]}, and hides {hidden}."
        )
        sent = shop.record_events(
            [
                *(event("view", who, item_id) for item_id in other),
                event("add_to_cart", who, other[0]),
                event("purchase", who, other[1], quantity=1),
                event("hide", who, hidden),
            ]
        )
        console.print(
            f"  {len(sent.verdicts)} events acknowledged, all on disk; watermark {sent.watermark}\n"
        )
        was = {item.item_id: rank for rank, item in enumerate(before.items, 1)}
        after = _window(shop, who, f"{who} · home · after", sent.watermark, was)
        fresh = sum(item.item_id not in was for item in after.items)
        console.print(
            f"\n  {fresh} of {len(after.items)} items are new in the window, {hidden} is gone; "
            "nothing was trained or restarted."
        )


def _window(
    shop: "Vitrine", who: str, title: str, watermark: str = "", before: dict[str, int] | None = None
) -> "recommendation_pb2.RecommendResponse":
    window = shop.recommend(who, "home", 10, min_watermark=watermark, timeout=10.0)
    found = {item.item_id: item for item in shop.get_items([i.item_id for i in window.items])}
    console.print(window_table(window, found, title=title, before=before))
    return window


def _choose(data: Path) -> tuple[str, list[str]]:
    """A shopper who has bought a few things, and four popular items of a category that is not theirs."""
    import polars as pl

    from vitrine.dataset import Dataset

    dataset = Dataset.open(data)
    events = dataset.events().filter(pl.col("user_id").is_not_null(), pl.col("item_id").is_not_null())
    shoppers = (
        events.group_by("user_id")
        .agg(n=pl.len(), bought=(pl.col("type") == "purchase").sum())
        .filter(pl.col("bought").is_between(2, 4))
        .sort("n", "user_id")
        .collect()
    )
    who = str(shoppers["user_id"][len(shoppers) // 2])
    items = dataset.items()
    assert items is not None  # noqa: S101 - the simulator writes items
    tops = items.select("item_id", top=pl.col("category_path").list.first()).lazy()
    theirs = events.filter(pl.col("user_id") == who).join(tops, on="item_id").select("top").unique().collect()
    others = (
        events.join(tops, on="item_id")
        .filter(~pl.col("top").is_in(theirs["top"].to_list()))
        .group_by("top", "item_id")
        .len()
        .sort("len", "item_id", descending=[True, False])
        .collect()
    )
    one_kind = others.filter(pl.col("top") == others["top"][0])
    return who, [str(i) for i in one_kind["item_id"].head(4)]
