"""What the demo shows of a running server: which models run where, one window before and after events, and why."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.cli.recommend import window_table
from vitrine.client import Vitrine, event

_LIMIT = 10


def show(address: str, data: Path, say: Callable[[int, str], None], console: Console) -> None:
    """The window of a shopper who knows what they want, then of the same shopper after a change of mind, explained.

    Args:
        address: Of the server.
        data: The data set that it serves.
        say: Heads a step of the demo, by number.
        console: Where to.
    """
    with Vitrine(address) as shop:
        served = shop.get_bundle()
        models = ", ".join(f"{model.name} ({model.kind}, {model.provider})" for model in served.models)
        console.print(f"  bundle {served.version}; models: {models or 'none'}", highlight=False)
        say(5, "One shopper, before and after")
        who, other = _choose(data)
        before = _window(shop, console, who, f"{who} · home · before")
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
        after = _window(shop, console, who, f"{who} · home · after", sent.watermark, was)
        fresh = [item.item_id for item in after.items if item.item_id not in was]
        console.print(
            f"\n  {len(fresh)} of {len(after.items)} items are new in the window, {hidden} is gone; "
            "nothing was trained or restarted."
        )
    explained = (fresh or [item.item_id for item in after.items])[0]
    say(6, f"Why {explained}")
    _explain(address, who, explained, console)


def _window(
    shop: Vitrine,
    console: Console,
    who: str,
    title: str,
    watermark: str = "",
    before: dict[str, int] | None = None,
) -> recommendation_pb2.RecommendResponse:
    window = shop.recommend(who, "home", _LIMIT, min_watermark=watermark, timeout=10.0)
    found = {item.item_id: item for item in shop.get_items([i.item_id for i in window.items])}
    console.print(window_table(window, found, title=title, before=before))
    for part in window.degraded:
        console.print(f"  degraded: {part.component}: {part.message}", markup=False)
    return window


def _explain(address: str, who: str, item: str, console: Console) -> None:
    """Runs the command that a person would."""
    words = ["explain", "--user", who, "--item", item, "--address", address]
    console.print(f"  $ vitrine {' '.join(words[:-2])}", highlight=False)
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "vitrine", *words], capture_output=True, text=True, timeout=30, check=False
    )
    console.print(done.stdout if done.returncode == 0 else done.stderr, markup=False, highlight=False)


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
