"""What cleaning of events and of items shares: reasons, counted in order, and money."""

from collections.abc import Iterable

import polars as pl

from vitrine.domain.ids import MAX_ID_BYTES
from vitrine.errors import InvalidInput
from vitrine_export.importing.read import BAD_COLUMN, EMPTY, ROW, Table

REASON = "_reason"
# Above this no price of one thing is meant, and micros would leave 64 bits soon.
MOST = 1e12

Rule = tuple[str, pl.Expr]


def split(table: Table, rules: Iterable[Rule], dropped: dict[str, int]) -> pl.DataFrame:
    """The rows that no rule drops; the first rule that drops a row is the reason that is counted.

    Args:
        table: What was read; rows that are empty or malformed are dropped for that.
        rules: Reason and condition. A condition that is null drops nothing.
        dropped: Reason -> rows, added to.
    """
    reasons = [
        pl.when(pl.col(EMPTY)).then(pl.lit("empty row")),
        pl.lit("malformed ") + pl.col(BAD_COLUMN),
        *(pl.when(condition).then(pl.lit(name)) for name, condition in rules),
    ]
    judged = table.frame.with_columns(pl.coalesce(reasons).alias(REASON))
    count(dropped, judged[REASON].drop_nulls())
    if table.malformed:
        dropped["malformed row"] = dropped.get("malformed row", 0) + table.malformed
    return judged.filter(pl.col(REASON).is_null())


def count(dropped: dict[str, int], reasons: pl.Series) -> None:
    """Adds the rows of each reason."""
    for name, rows in reasons.value_counts(name="rows").sort(reasons.name).rows():
        dropped[name] = dropped.get(name, 0) + rows


def too_long(*names: str) -> pl.Expr:
    """Whether any of the identifiers has more than 128 bytes."""
    return pl.any_horizontal(pl.col(name).str.len_bytes() > MAX_ID_BYTES for name in names)


def impossible_price(name: str) -> pl.Expr:
    """Whether a price is negative, not a number, infinite or absurd."""
    price = pl.col(name)
    return ~(price.is_finite() & price.is_between(0, MOST))


def micros(name: str) -> pl.Expr:
    """A price in major units as whole micros."""
    return (pl.col(name) * 1e6).round().cast(pl.Int64)


def unpriced(table: Table, price: str, default: str | None, field: str) -> Rule:
    """The rule that drops a price without a currency, where malformed rows are dropped.

    Raises:
        InvalidInput: There is such a row and malformed rows are refused.
    """
    bare = pl.col(price).is_not_null() & pl.col("currency").is_null() & (default is None)
    if not table.drop:
        bad = table.frame.lazy().filter(bare).select(ROW).head(1).collect()
        if not bad.is_empty():
            raise InvalidInput(
                f"{field}.currency",
                f"{table.path.name}, row {bad.item()}, column currency: a {price} without a currency; "
                "give --currency GBP (or what it is), or fill the column",
            )
    return "no currency", bare


def currency_of(name: str, default: str | None) -> pl.Expr:
    """The currency of a price, null where there is no price."""
    return pl.when(pl.col(name).is_not_null()).then(
        pl.col("currency").fill_null(pl.lit(default, dtype=pl.String))
    )
