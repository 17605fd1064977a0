"""A small shop where what is bought together is known."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitrine.dataset import Dataset

KINDS = 12
PER_KIND = 12
START = 1_700_000_000
DAYS = 120


def shop(path: Path, *, seed: int = 0, times: bool = True, texts: bool = True) -> Dataset:
    """Shoppers who stay with two kinds of items out of twelve; a few items of each kind are popular with all."""
    rng = np.random.default_rng(seed)
    ids = [f"item{k}x{i}" for k in range(KINDS) for i in range(PER_KIND)]
    rows = []
    for who in range(300):
        kinds = rng.choice(KINDS, 2, replace=False)
        for at in np.sort(rng.uniform(0, DAYS, rng.integers(5, 20))):
            anywhere = rng.random() < 0.25
            kind = int(rng.integers(KINDS)) if anywhere else int(rng.choice(kinds))
            item = int(rng.integers(3)) if anywhere else int(rng.integers(PER_KIND))
            event = str(rng.choice(["view", "purchase"]))
            rows.append((f"u{who}", ids[kind * PER_KIND + item], event, int((START + at * 86_400) * 1e6)))
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "type", "time"], orient="row").with_row_index(
        "event_id"
    )
    events = events.with_columns(
        pl.col("event_id").cast(pl.String), pl.col("time").cast(pl.Datetime("us", "UTC"))
    )
    if not times:
        events = events.sort("time").drop("time")
    items = pl.DataFrame(
        {
            "item_id": ids,
            "title": [f"kind{k} number{i}" if texts else "" for k in range(KINDS) for i in range(PER_KIND)],
            "created_time": pl.Series([START * 1_000_000] * len(ids)).cast(pl.Datetime("us", "UTC")),
        }
    )
    return Dataset.write(path, events, items, name="shop", source="test")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return shop(tmp_path_factory.mktemp("shop"))
