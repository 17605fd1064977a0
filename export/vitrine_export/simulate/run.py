"""Makes a data set of a shop that does not exist."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, quiet
from vitrine_export.simulate import aftermath, browse, catalog, texts, visits, vocabulary
from vitrine_export.simulate import shoppers as people_
from vitrine_export.simulate.clock import Clock
from vitrine_export.simulate.log import Log
from vitrine_export.simulate.shop import Shop

# Fixed, so that the same command gives the same shop on any day.
END = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class SimulationReport:
    """What was simulated.

    Attributes:
        out: The data set.
        shoppers: How many there are, with or without events.
        items: Size of the catalogue.
        days: Length of the window.
        seed: What chance began with.
        events: Number of events.
        by_type: Event type -> events.
        seconds: How long it took.
    """

    out: Path
    shoppers: int
    items: int
    days: int
    seed: int
    events: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def render(self) -> RenderableType:
        """The report for a terminal."""
        table = Table(title=f"Simulated {self.shoppers:,} shoppers, {self.items:,} items, {self.days:,} days")
        table.add_column("event")
        table.add_column("number", justify="right")
        for name, number in self.by_type.items():
            table.add_row(name, f"{number:,}")
        table.add_row("all", f"{self.events:,}", style="bold")
        return Group(table, Text(f"{self.out} written in {self.seconds:.1f} s (seed {self.seed})"))


def simulate(
    out: Path,
    *,
    shoppers: int = 3000,
    items: int = 2000,
    days: int = 90,
    seed: int = 7,
    end: datetime = END,
    progress: Progress = quiet,
) -> SimulationReport:
    """Simulates a shop and writes it as a data set. The same arguments give the same tables.

    Args:
        out: Folder of the data set.
        shoppers: How many people come.
        items: How many items are sold in the window or before it.
        days: Length of the window.
        seed: Where chance begins, 0 or more.
        end: The moment after the last event; UTC when it has no zone.
        progress: Told how far it is.

    Raises:
        InvalidInput: A size is out of range, or the folder cannot be written.
    """
    sizes = {"shoppers": (shoppers, 1, 5_000_000), "items": (items, 1, 5_000_000), "days": (days, 1, 3650)}
    for name, (value, least, most) in {**sizes, "seed": (seed, 0, 2**63)}.items():
        if not least <= value <= most:
            raise InvalidInput(name, f"{value} is out of range; give {least:,} to {most:,}")
    begun = time.monotonic()
    rng = np.random.default_rng(seed)
    clock = Clock.of(end if end.tzinfo else end.replace(tzinfo=UTC), days)
    progress("inventing items", 0.0)
    words = vocabulary.load()
    goods = catalog.build(words, items, clock, rng)
    progress("inventing shoppers", 0.05)
    people = people_.build(words, goods, shoppers, clock, rng)
    shop = Shop(words, goods, people, clock, rng)
    log = Log()
    progress("visiting", 0.1)
    steps = visits.build(words, goods, people, clock, rng)
    progress("browsing and buying", 0.45)
    first = browse.browse(shop, steps, log)
    del steps
    progress("buying again and rating", 0.65)
    for bought in [first, *aftermath.buy_again(shop, first, log)]:
        aftermath.rate(shop, bought, log)
    progress("sorting events", 0.7)
    # Items stand by leaf and popularity: shuffled, so that an identifier tells nothing.
    ids = (_shopper_ids(people.anonymous), _ids("p", items).gather(rng.permutation(items)))
    events = log.table(ids, people.anonymous, clock, f"s{seed}-")
    events = events.with_columns(
        pl.when(pl.col("value_micros").is_not_null()).then(pl.lit(words.currency)).alias("currency")
    )
    progress("writing", 0.85)
    report = SimulationReport(
        out=out, shoppers=shoppers, items=items, days=days, seed=seed, events=events.height
    )
    report.by_type = dict(
        events["type"].value_counts(name="n").sort("n", "type", descending=[True, False]).rows()
    )
    Dataset.write(
        out,
        events,
        _items(words, goods, ids[1], clock, rng),
        name=f"Simulated shop {seed}",
        source="simulation",
        currency=words.currency,
        report={"shoppers": shoppers, "items": items, "days": days, "seed": seed, "by_type": report.by_type},
    )
    report.seconds = time.monotonic() - begun
    progress("done", 1.0)
    return report


def _ids(prefix: str, n: int) -> pl.Series:
    return pl.select(
        pl.lit(prefix) + pl.int_range(1, n + 1).cast(pl.String).str.zfill(len(str(n)))
    ).to_series()


def _shopper_ids(anonymous: catalog.Bools) -> pl.Series:
    n = len(anonymous)
    return pl.select(
        pl.when(pl.Series(anonymous)).then(_ids("visitor-", n)).otherwise(_ids("u", n))
    ).to_series()


def _items(
    words: vocabulary.Vocabulary,
    goods: catalog.Catalog,
    ids: pl.Series,
    clock: Clock,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """The catalogue as it stands at the end of the window."""
    every = np.arange(len(goods.leaf))
    sold = goods.sold_at(every, np.full(len(every), clock.end))
    state = np.where(goods.gone < clock.end, 3, np.where(sold, 0, 1))
    category = pl.Series(words.categories).gather(words.category[goods.leaf])
    leaf = pl.Series(words.leaves).gather(goods.leaf)
    return (
        pl.DataFrame(
            {
                "item_id": ids,
                "title": texts.titles(words, goods),
                "description": texts.descriptions(words, goods, rng),
                "brand": pl.Series(words.brands.words[0].tolist(), dtype=pl.String).gather(goods.brand),
                "price_micros": goods.price,
                "currency": pl.repeat(words.currency, len(every), eager=True),
                "availability": pl.Series(["in_stock", "out_of_stock", "preorder", "discontinued"]).gather(
                    state
                ),
                "created_time": pl.Series(goods.created).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            }
        )
        .with_columns(pl.concat_list(category, leaf).alias("category_path"))
        .sort("item_id")
    )
