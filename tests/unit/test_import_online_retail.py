"""Importing the UCI file: on made-up lines always, on the real file where it is there."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.importing import import_online_retail

REAL = Path(__file__).parents[3] / "shared" / "data" / "online-retail" / "transactions.parquet"

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


def _lines(path: Path, *, csv: bool = False) -> Path:
    rows = [
        ("1", "10001", "茶壶  红 ", 2, "2011-01-01 09:00", 2.55, 17850.0),
        ("1", "10001", "茶壶 红", 1, "2011-01-01 09:00", 2.55, 17850.0),
        ("1", "10001", "wrongly", 1, "2011-01-01 09:00", 9.99, 17850.0),
        ("2", "10002A", "MUG", 1, "2011-01-02 09:00", 1.00, None),
        ("C3", "10001", "茶壶 红", -1, "2011-01-02 09:00", 2.55, 17850.0),
        ("4", "POST", "POSTAGE", 1, "2011-01-02 09:00", 5.0, 17850.0),
        ("5", "10002A", "MUG", -5, "2011-01-02 09:00", 1.0, 17850.0),
        ("6", "10002A", "MUG", 5, "2011-01-02 09:00", 0.0, 17850.0),
    ]
    frame = pl.DataFrame([(*row, "France") for row in rows], COLUMNS, orient="row")
    frame = frame.with_columns(pl.col("InvoiceDate").str.to_datetime())
    (frame.write_csv if csv else frame.write_parquet)(path)
    return path


def test_lines_become_purchases_and_every_reason_is_counted(tmp_path: Path) -> None:
    report = import_online_retail(_lines(tmp_path / "t.parquet"), tmp_path / "out")
    reasons = (
        "cancellation",
        "impossible quantity",
        "impossible price",
        "not a product (postage, fees)",
        "no subject",
    )
    assert report.dropped == dict.fromkeys(reasons, 1)
    data = Dataset.open(tmp_path / "out")
    events = data.events().collect()
    assert events["event_id"].to_list() == ["1-10001-1", "1-10001-2", "1-10001-3"]
    assert (
        events.row(0, named=True).items()
        >= {
            "user_id": "17850",
            "item_id": "10001",
            "type": "purchase",
            "time": datetime(2011, 1, 1, 9, tzinfo=UTC),
            "value_micros": 2_550_000,
            "currency": "GBP",
            "quantity": 2.0,
        }.items()
    )
    items = data.items()
    assert items is not None
    assert items.select("item_id", "title", "price_micros").rows() == [("10001", "茶壶 红", 2_550_000)]
    assert not data.has.categories
    assert "categories" in report.off


def test_a_csv_gives_the_same_data_set(tmp_path: Path) -> None:
    import_online_retail(_lines(tmp_path / "t.parquet"), tmp_path / "a")
    import_online_retail(_lines(tmp_path / "t.csv", csv=True), tmp_path / "b")
    a, b = (Dataset.open(tmp_path / name).events().collect() for name in "ab")
    assert a.equals(b)


def test_another_file_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"Invoice": ["1"], "StockCode": ["10001"]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"t\.parquet has no column InvoiceNo; rename 'Invoice'"):
        import_online_retail(tmp_path / "t.parquet", tmp_path / "out")


@pytest.mark.data
@pytest.mark.skipif(
    not REAL.exists(), reason="needs ../shared/data/online-retail (evaluation data, not in the repository)"
)
def test_the_real_file_gives_the_counts_of_its_protocol(tmp_path: Path) -> None:
    report = import_online_retail(REAL, tmp_path / "out")
    assert (report.read, report.kept) == (370_931, 265_427)
    assert report.read == report.kept + sum(report.dropped.values())
    assert report.notes["lines kept that repeat an invoice and stock code"] == 5_188
    data = Dataset.open(tmp_path / "out")
    events = data.events().collect()
    assert events["event_id"].n_unique() == events.height
    first = events.group_by("user_id").agg(pl.col("time").min().alias("first"))
    september = datetime(2011, 9, 1, tzinfo=UTC)
    test = events.filter(pl.col("time") >= september)
    assert test["user_id"].n_unique() == 1_259
    new = test.join(first.filter(pl.col("first") >= september), on="user_id")
    assert (new["user_id"].n_unique(), 1_259 - new["user_id"].n_unique()) == (299, 960)
    # An invoice is the first part of an event's id; the first basket of a new customer, where it has four items or more.
    baskets = (
        new.with_columns(pl.col("event_id").str.split("-").list.first().alias("invoice"))
        .group_by("user_id", "invoice")
        .agg(pl.col("time").min(), pl.col("item_id").n_unique().alias("items"))
        .sort("time", "invoice")
        .unique("user_id", keep="first", maintain_order=True)
    )
    assert baskets.filter(pl.col("items") >= 4).height == 282
