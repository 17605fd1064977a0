"""The UCI "Online Retail" file (Chen 2012): lines of a British gift shop's invoices."""

import time
from pathlib import Path

import polars as pl

from vitrine.progress import Progress, quiet
from vitrine_export.importing.clean import MOST, Rule, micros, split
from vitrine_export.importing.columns import Column, Kind
from vitrine_export.importing.read import ROW, read_table
from vitrine_export.importing.report import ImportReport
from vitrine_export.importing.run import finish

CURRENCY = "GBP"

_COLUMNS = {
    c.name: c
    for c in (
        Column("InvoiceNo", Kind.ID, required=True),
        Column("StockCode", Kind.ID, required=True),
        Column("Description", Kind.TEXT, most=1024),
        Column("Quantity", Kind.NUMBER, required=True),
        Column("InvoiceDate", Kind.TIME, required=True),
        Column("UnitPrice", Kind.NUMBER, required=True),
        Column("CustomerID", Kind.ID, required=True),
        Column("Country", Kind.TEXT, most=128),
    )
}

# In this order: a line counts for the first reason that it meets.
_RULES: list[Rule] = [
    ("cancellation", pl.col("InvoiceNo").str.starts_with("C")),
    ("impossible quantity", ~(pl.col("Quantity") > 0)),
    ("impossible price", ~((pl.col("UnitPrice") > 0) & (pl.col("UnitPrice") < MOST))),
    ("not a product (postage, fees)", ~pl.col("StockCode").str.contains(r"^\d{5}")),
    ("no time", pl.col("InvoiceDate").is_null()),
    ("no subject", pl.col("CustomerID").is_null()),
]


def import_online_retail(file: Path, out: Path, *, progress: Progress = quiet) -> ImportReport:
    """Turns each invoice line that is a sale of a product to a known customer into a purchase.

    Args:
        file: The file as Parquet or CSV, with the columns of the UCI file.
        out: Folder of the data set.
        progress: Told how far it is.

    Raises:
        InvalidInput: The file cannot be read or is another one; file, row and column are named.
    """
    start = time.monotonic()
    report = ImportReport(source=file.name, out=out)
    progress(f"reading {file.name}", 0.0)
    table = read_table(file, _COLUMNS, "file", drop=False)
    table.frame = table.frame.with_columns(
        # Some copies of the file write customer numbers as floats.
        pl.col("CustomerID").str.replace(r"\.0$", ""),
        # Repeated lines of an invoice are real lines: they are numbered before anything is dropped.
        pl.int_range(1, pl.len() + 1).over("InvoiceNo", "StockCode").alias("_occurrence"),
    )
    report.read, report.ignored = table.frame.height, table.ignored
    progress("cleaning", 0.4)
    kept = split(table, _RULES, report.dropped)
    repeats = kept.height - kept.select(pl.struct("InvoiceNo", "StockCode").n_unique()).item()
    report.notes["lines kept that repeat an invoice and stock code"] = repeats
    progress(f"writing {out}", 0.8)
    finish(report, _events(kept), _items(kept), name="Online Retail", currency=CURRENCY, items_given=True)
    report.seconds = time.monotonic() - start
    progress("done", 1.0)
    return report


def _events(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.sort(ROW).select(
        event_id=pl.format("{}-{}-{}", "InvoiceNo", "StockCode", "_occurrence"),
        user_id="CustomerID",
        item_id="StockCode",
        type=pl.lit("purchase"),
        time="InvoiceDate",
        value_micros=micros("UnitPrice"),
        currency=pl.lit(CURRENCY),
        quantity="Quantity",
    )


def _items(lines: pl.DataFrame) -> pl.DataFrame:
    """Each product with its most frequent description, its median price and the time of its first sale."""
    title = pl.col("Description").str.strip_chars().str.replace_all(r"\s+", " ")
    titles = (
        lines.lazy()
        .select("StockCode", title.alias("title"))
        .drop_nulls()
        .group_by("StockCode", "title")
        .len()
        .sort("StockCode", "len", "title", descending=[False, True, False])
        .unique("StockCode", keep="first", maintain_order=True)
        .select("StockCode", "title")
    )
    return (
        lines.lazy()
        .group_by("StockCode")
        .agg(
            price_micros=micros("UnitPrice").median().round().cast(pl.Int64),
            created_time=pl.col("InvoiceDate").min(),
        )
        .join(titles, on="StockCode", how="left")
        .sort("StockCode")
        .select(
            pl.col("title").fill_null(""),
            "price_micros",
            "created_time",
            item_id="StockCode",
            currency=pl.lit(CURRENCY),
        )
        .collect()
    )
