"""Items of a plain file as rows of a data set."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from vitrine.dataset import ITEM_SCHEMA
from vitrine.errors import InvalidInput

_READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    # Identifiers are text: "007" is not 7.
    ".csv": partial(pl.read_csv, schema_overrides={"item_id": pl.String}),
    ".jsonl": pl.read_ndjson,
    ".ndjson": pl.read_ndjson,
}


def read_items(path: Path) -> pl.DataFrame:
    """Reads ``item_id`` and, where they are there, other columns of `ITEM_SCHEMA`.

    ``attributes`` may be a list of words (brand, categories, …); as nobody says which word is what, they are text.

    Args:
        path: Parquet, CSV or JSON Lines.

    Raises:
        InvalidInput: It cannot be read, lacks the item_id, or a column holds something else than it is for.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput("items", f"{path} must end in {', '.join(_READERS)}")
    try:
        table = reader(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise InvalidInput("items", f"cannot read {path}: {error}") from None
    if "item_id" not in table.columns:
        raise InvalidInput("items", f"{path} has no column item_id, but {', '.join(table.columns)}")
    table = table.with_columns(pl.col("item_id").cast(pl.String)).filter(pl.col("item_id").is_not_null())
    if isinstance(table.schema.get("attributes"), pl.List):
        words = pl.col("attributes").cast(pl.List(pl.String)).list.join(", ")
        said = pl.col("description") if "description" in table.columns else pl.lit("")
        joined = pl.concat_str(said.fill_null(""), words.fill_null(""), separator=" ").str.strip_chars()
        table = table.with_columns(description=joined).drop("attributes")
    filled = [pl.col(name).fill_null("") for name in ("title", "description") if name in table.columns]
    known = [name for name in table.columns if name in ITEM_SCHEMA]
    table = table.select(known)
    for column in known:
        try:
            table = table.with_columns(pl.col(column).cast(ITEM_SCHEMA[column]))
        except pl.exceptions.PolarsError:
            raise InvalidInput(
                "items",
                f"{path}: column {column} is {table.schema[column]}, not {ITEM_SCHEMA[column]}; convert it or leave it out",
            ) from None
    return table.with_columns(filled).unique("item_id", keep="last", maintain_order=True)
