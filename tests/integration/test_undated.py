"""Data without times: what needs times is off, the rest works."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitrine.app.load import load_into_store
from vitrine.app.shop import Shop, Stores, make_popularity
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.domain.clock import system_clock
from vitrine.errors import InvalidInput
from vitrine.retrieval import RetrievalQuery


@pytest.fixture
def undated(tmp_path: Path) -> Dataset:
    rows = [(f"e{n}", f"u{n % 7}", f"i{n % 5 * (n % 3)}", "purchase") for n in range(200)]
    events = pl.DataFrame(rows, schema=["event_id", "user_id", "item_id", "type"], orient="row")
    items = pl.DataFrame({"item_id": sorted(events["item_id"].unique())})
    return Dataset.write(tmp_path / "data", events, items, name="undated", source="test")


def test_undated_events_are_popular_and_no_trend(undated: Dataset, tmp_path: Path) -> None:
    config = load_config()
    done = load_into_store(undated, tmp_path / "store", config)
    assert (done.accepted, done.rejected) == (200, 0)
    with ExitStack() as closing:
        shop = Shop.open(tmp_path / "store", None, config, system_clock, closing)
        query = RetrievalQuery(request_time=system_clock(), sources={"popular": 50, "trending": 50})
        found = shop.retriever.retrieve(query).candidates
    assert found.source_names == ("popular", "trending")
    assert set(found.masks.tolist()) == {1}  # popular alone
    counts = undated.events().group_by("item_id").len().collect()
    assert found.item_ids[0] == counts.sort("len")["item_id"][-1]


def test_what_is_popular_is_counted_when_it_is_loaded(undated: Dataset, tmp_path: Path) -> None:
    """Else the first server would count the whole log again before it serves."""
    config = load_config()
    load_into_store(undated, tmp_path / "store", config)
    with Stores.open(tmp_path / "store", config, system_clock) as stores:
        state = stores.items.load_state("popularity of rows")
        assert state is not None
        assert state[0] == stores.profiles.watermark > 0
        popularity = make_popularity(stores.catalog, config)
        assert popularity.restore(*state)
        assert popularity.shares(np.arange(len(stores.catalog), dtype=np.int32)).max() == 1


def test_until_needs_times(undated: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="have no times"):
        load_into_store(undated, tmp_path / "store", load_config(), until=1e9)
