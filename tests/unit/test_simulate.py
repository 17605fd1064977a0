"""The simulated shop: reproducible, believable, and worth learning from."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from vitrine.dataset import AVAILABILITIES, EVENT_SCHEMA, EVENT_TYPES, Dataset
from vitrine.errors import InvalidInput
from vitrine_export.simulate import END, simulate


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("shop")
    simulate(out, shoppers=3000, items=1000, days=90, seed=3)
    return Dataset.open(out)


@pytest.fixture(scope="module")
def events(shop: Dataset) -> pl.DataFrame:
    return shop.events().collect()


@pytest.fixture(scope="module")
def items(shop: Dataset) -> pl.DataFrame:
    table = shop.items()
    assert table is not None
    return table


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(tmp_path / name, shoppers=200, items=150, days=30, seed=seed)
    for file in ("events.parquet", "items.parquet", "dataset.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a" / "events.parquet").read_bytes() != (
        tmp_path / "c" / "events.parquet"
    ).read_bytes()


def test_the_tables_are_whole(shop: Dataset, events: pl.DataFrame, items: pl.DataFrame) -> None:
    assert dict(events.schema) == dict(EVENT_SCHEMA)
    assert set(events["type"]) == set(EVENT_TYPES)
    assert events["time"].is_sorted()
    assert events["event_id"].n_unique() == events.height
    assert events.select((pl.col("user_id").is_null() != pl.col("anonymous_id").is_null()).all()).item()
    assert events.filter(pl.col("anonymous_id").is_not_null()).height > 0
    assert events["time"].max() < END  # type: ignore[operator]
    assert set(events["item_id"].drop_nulls()) <= set(items["item_id"])
    assert events.filter(pl.col("item_id").is_null())["type"].unique().to_list() == ["search"]
    assert items["item_id"].n_unique() == items["title"].n_unique() == items.height == 1000
    assert set(items["availability"]) <= set(AVAILABILITIES)
    assert items.filter(pl.col("availability") == "out_of_stock").height > 0
    assert items["price_micros"].min() > 0  # type: ignore[operator]
    has = shop.has
    assert all((has.times, has.items, has.text, has.prices, has.categories, has.brands))


def test_nobody_meets_an_item_before_it_comes(events: pl.DataFrame, items: pl.DataFrame) -> None:
    bought = events.filter(pl.col("type") == "purchase").join(items, on="item_id")
    assert bought.filter(pl.col("time") < pl.col("created_time")).is_empty()
    start = events["time"].min()
    assert 0.1 < items.filter(pl.col("created_time") > start).height / items.height < 0.3


def test_a_third_of_the_titles_and_queries_are_chinese(events: pl.DataFrame, items: pl.DataFrame) -> None:
    for texts in (items["title"], events.filter(pl.col("type") == "search")["text"]):
        assert 0.2 < texts.str.contains(r"\p{Han}").mean() < 0.5  # type: ignore[operator]


def test_queries_look_for_what_is_looked_at_next(events: pl.DataFrame, items: pl.DataFrame) -> None:
    ordered = (
        events.filter(pl.col("type").is_in(["search", "view"]))
        .sort("user_id", "time")
        .with_columns(pl.col("item_id").shift(-1).over("user_id").alias("next"))
    )
    found = ordered.filter((pl.col("type") == "search") & pl.col("next").is_not_null()).join(
        items.select("item_id", "title"), left_on="next", right_on="item_id"
    )
    # The last word of an English query is the noun; a Chinese one ends in it.
    noun = pl.col("text").str.split(" ").list.last()
    named = found.select(
        pl.when(pl.col("text").str.contains(r"\p{Han}"))
        .then(pl.col("title").str.contains(pl.col("text").str.tail(2), literal=True))
        .otherwise(pl.col("title").str.to_lowercase().str.contains(noun, literal=True))
        .mean()
    ).item()
    assert named > 0.9


def test_popularity_is_skewed(events: pl.DataFrame) -> None:
    views = events.filter(pl.col("type") == "view")["item_id"].value_counts(sort=True)["count"].to_numpy()
    assert views[: len(views) // 10].sum() / views.sum() > 0.25


def test_seasons_move_demand(tmp_path: Path) -> None:
    simulate(tmp_path, shoppers=1500, items=600, days=365, seed=5, end=datetime(2027, 1, 1, tzinfo=UTC))
    data = Dataset.open(tmp_path)
    items = data.items()
    assert items is not None
    views = (
        data.events()
        .filter(pl.col("type") == "view")
        .collect()
        .join(items, on="item_id")
        .select(pl.col("category_path").list.last().alias("leaf"), pl.col("time").dt.month().alias("month"))
    )

    def share(leaves: list[str], months: list[int]) -> float:
        return float(
            views.filter(pl.col("month").is_in(months)).select(pl.col("leaf").is_in(leaves).mean()).item()
        )

    summer, winter = ["Tents", "Sunscreen", "Fans", "T-Shirts", "Kites"], ["Coats", "Scarves", "Sweaters"]
    assert share(summer, [6, 7]) > 2 * share(summer, [11, 12])
    assert share(winter, [11, 12]) > 2 * share(winter, [6, 7])


def test_consumables_are_bought_again(events: pl.DataFrame, items: pl.DataFrame) -> None:
    bought = events.filter((pl.col("type") == "purchase") & pl.col("user_id").is_not_null()).join(
        items, on="item_id"
    )
    leaf = pl.col("category_path").list.last()
    bought = bought.with_columns(pl.len().over("user_id", "item_id").alias("times"))
    again = {
        name: bought.filter(leaf.is_in(leaves)).select((pl.col("times") > 1).mean()).item()
        for name, leaves in {
            "food": ["Coffee Beans", "Cat Food", "Dog Food"],
            "durable": ["Tents", "Laptops"],
        }.items()
    }
    assert again["food"] > 0.3
    assert again["food"] > 3 * (again["durable"] or 0.0)


def test_tastes_can_be_learned(events: pl.DataFrame) -> None:
    """Recall@20 of new purchases in the last fortnight: item co-visitation far ahead of popularity."""
    cut = datetime(2026, 10, 18, tzinfo=UTC)
    log = events.filter(
        pl.col("user_id").is_not_null() & pl.col("type").is_in(["view", "add_to_cart", "purchase"])
    )
    users, ids = (log[c].unique().sort() for c in ("user_id", "item_id"))
    row, column = (
        log[c].replace_strict(known, pl.Series(range(len(known)))).to_numpy()
        for c, known in (("user_id", users), ("item_id", ids))
    )
    past = (log["time"] < cut).to_numpy()
    shape = (len(users), len(ids))
    seen = sparse.csr_array((np.ones(past.sum()), (row[past], column[past])), shape=shape)
    seen.data[:] = 1.0
    norm = np.sqrt(np.maximum(np.asarray(seen.sum(axis=0)).ravel(), 1.0))
    scaled = seen.multiply(1.0 / norm).tocsr()
    near = (scaled.T @ scaled).toarray()
    bought = (log["type"] == "purchase").to_numpy()
    future = bought & ~past
    target = np.zeros(shape, dtype=bool)
    target[row[future], column[future]] = True
    target &= seen.toarray() == 0
    popular = np.bincount(column[past & bought], minlength=len(ids)).astype(float)

    def recall(scores: np.ndarray) -> float:
        scores = np.where(seen.toarray() > 0, -1.0, scores)
        top = np.argpartition(-scores, 20, axis=1)[:, :20]
        hits = np.take_along_axis(target, top, axis=1).sum(axis=1)
        has = target.any(axis=1)
        return float((hits[has] / target[has].sum(axis=1)).mean())

    by_taste = recall(seen @ near)
    by_popularity = recall(np.broadcast_to(popular, shape))
    assert by_taste > 1.6 * by_popularity, (by_taste, by_popularity)


def test_tastes_change(events: pl.DataFrame, items: pl.DataFrame) -> None:
    """What a shopper looked at in the last month says more about the next week than the first month does."""
    views = events.filter((pl.col("type") == "view") & pl.col("user_id").is_not_null()).join(
        items.select("item_id", leaf=pl.col("category_path").list.last()), on="item_id"
    )

    def leaves(first: datetime, last: datetime) -> pl.DataFrame:
        return views.filter(pl.col("time").is_between(first, last)).select("user_id", "leaf").unique()

    week = leaves(datetime(2026, 10, 20, tzinfo=UTC), END)
    early, late = (
        leaves(datetime(2026, month, day, tzinfo=UTC), datetime(2026, month + 1, day, tzinfo=UTC))
        for month, day in ((8, 5), (9, 19))
    )
    both = early.select("user_id").unique().join(late.select("user_id").unique(), on="user_id")
    week = week.join(both, on="user_id")
    known = [week.join(past, on=["user_id", "leaf"]).height / week.height for past in (early, late)]
    assert known[1] > known[0]


@pytest.mark.parametrize(("shoppers", "items", "days"), [(1, 1, 1), (2, 5, 3), (50, 30, 400)])
def test_tiny_shops_work(tmp_path: Path, shoppers: int, items: int, days: int) -> None:
    report = simulate(tmp_path, shoppers=shoppers, items=items, days=days, seed=0)
    assert Dataset.open(tmp_path).manifest.events == report.events == sum(report.by_type.values())
    assert Dataset.open(tmp_path).manifest.items == items


@pytest.mark.parametrize("wrong", [{"shoppers": 0}, {"items": -1}, {"days": 100_000}, {"seed": -1}])
def test_sizes_out_of_range_are_named(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=rf"{next(iter(wrong))}: .* is out of range"):
        simulate(tmp_path, **wrong)  # type: ignore[arg-type]
