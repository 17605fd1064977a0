"""A small shop with three months of purchases, so that the last one can be the test window."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitrine.bundle import write_bundle
from vitrine.dataset import Dataset
from vitrine_export.evaluate.temporal import TemporalSplit, split_by_time

START = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
END = datetime(2026, 4, 1, tzinfo=UTC).timestamp()
FIRST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
ITEMS = 60
_TIME = pl.Datetime("us", "UTC")


def events(seed: int = 0, *, window_seed: int = 0) -> pl.DataFrame:
    """Purchases of 40 shoppers with a taste each; ``window_seed`` decides what happens from `START` on."""
    rows = []
    for who in range(40):
        for start, end, rng in (
            (FIRST, START, np.random.default_rng((seed, who))),
            (START, END, np.random.default_rng((window_seed, who, 1))),
        ):
            if who >= 30 and start == FIRST:
                continue  # the last ten come in the test month
            liked = rng.permutation(ITEMS // 2)[:8] + (who % 3) * 10
            # A first basket of six items, then single ones.
            first = start + rng.uniform(0, 0.3) * (end - start)
            moments = [first] * 6 + list(rng.uniform(first + 7200, end, 6))
            rows += [(f"u{who}", f"i{int(rng.choice(liked)) % ITEMS}", moment) for moment in moments]
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "moment"], orient="row")
    return table.select(
        pl.int_range(pl.len()).cast(pl.String).alias("event_id"),
        "user_id",
        "item_id",
        pl.lit("purchase").alias("type"),
        (pl.col("moment") * 1e6).cast(pl.Int64).cast(_TIME).alias("time"),
        pl.lit(1.0).alias("quantity"),
    )


def items() -> pl.DataFrame:
    created = [FIRST - 1] * (ITEMS - 6) + [START + 3600] * 6
    return pl.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(ITEMS)],
            "title": [f"thing {n % 7} colour {n % 5}" for n in range(ITEMS)],
            "created_time": pl.Series([int(c * 1e6) for c in created]).cast(_TIME),
        }
    )


def shop(path: Path, *, window_seed: int = 0) -> Dataset:
    return Dataset.write(path, events(window_seed=window_seed), items(), name="toy", source="test")


def empty_bundle(path: Path) -> Path:
    """A bundle without models, made before the test window."""
    from vitrine.bundle import TrainingWindow

    write_bundle(path, item_ids=["i0"], window=TrainingWindow(until=datetime.fromtimestamp(START, UTC)))
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return shop(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def split(dataset: Dataset) -> TemporalSplit:
    return split_by_time(dataset, START, END, 0)
