"""Parsers of cells, one per kind, as Polars expressions on whole columns; a cell that does not parse becomes null."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import polars as pl

from vitrine.errors import InvalidInput
from vitrine_export.importing.columns import Column, Kind

UTC_TIME = pl.Datetime("us", "UTC")
_ISO = "%Y-%m-%dT%H:%M:%S%.f%#z"
MAX_LEVELS, MAX_ATTRIBUTES = 8, 32

# What a cell of each kind should look like, for messages.
EXPECTED = {
    Kind.TIME: "write ISO 8601 (2026-11-01T09:30:00Z) or Unix seconds, between 1970 and 2200",
    Kind.NUMBER: "write a plain decimal number with a point, such as 12.50",
    Kind.CURRENCY: "write an ISO 4217 code of three letters, such as GBP, or give --currency",
    Kind.PATH: "write levels as A > B > C, or a list of texts",
    Kind.ATTRIBUTES: 'write a JSON object, such as {"colour": "red"}',
    Kind.WORD: "write one of the documented words",
    Kind.ID: "write a text or a whole number",
    Kind.TEXT: "write a text",
}

_NESTED = (pl.Struct, pl.List, pl.Array)
_ALLOWED_NESTED = {Kind.PATH: pl.List, Kind.ATTRIBUTES: pl.Struct}


def present(name: str, dtype: pl.DataType) -> pl.Expr:
    """Whether a cell holds anything: not null, and not an empty text."""
    cell = pl.col(name)
    return cell.is_not_null() & (cell != "") if dtype == pl.String else cell.is_not_null()


def parse(column: Column, dtype: pl.DataType, field: str) -> pl.Expr:
    """An expression for the parsed column; null where the cell is empty or does not parse.

    Money and numbers stay ``Float64``, so that NaN and infinities can be told from what does not parse.

    Raises:
        InvalidInput: Cells of this type cannot hold the column; ``field`` and the column are named.
    """
    if isinstance(dtype, _NESTED) and not isinstance(dtype, _ALLOWED_NESTED.get(column.kind, ())):
        raise InvalidInput(field, f"column {column.name} holds {dtype}; {EXPECTED[column.kind]}")
    cell = pl.col(column.name)
    match column.kind:
        case Kind.TIME:
            return _time(cell, dtype)
        case Kind.NUMBER:
            return (_stripped(cell) if dtype == pl.String else cell).cast(pl.Float64, strict=False)
        case Kind.WORD:
            squashed = {w.replace("_", ""): w for w in column.words}
            return (
                _text(cell, dtype)
                .str.to_lowercase()
                .str.replace_all(r"[\s_-]", "")
                .replace_strict(squashed, default=None, return_dtype=pl.String)
            )
        case Kind.CURRENCY:
            code = _text(cell, dtype).str.strip_chars().str.to_uppercase()
            return pl.when(code.str.contains(r"^[A-Z]{3}$")).then(code)
        case Kind.PATH:
            return (
                _levels(cell) if isinstance(dtype, pl.List) else by_distinct(cell, _path, pl.List(pl.String))
            )
        case Kind.ATTRIBUTES:
            encoded = cell.struct.json_encode() if isinstance(dtype, pl.Struct) else _text(cell, dtype)
            return by_distinct(encoded, _attributes, pl.String())
        case Kind.TEXT:
            text = _text(cell, dtype)
            return (
                pl.when(text.str.len_bytes() > column.most)
                .then(text.str.head(column.most // 4))
                .otherwise(text)
            )
        case Kind.ID:
            return _text(cell, dtype)


def by_distinct(cell: pl.Expr, function: Callable[[Any], Any], dtype: pl.DataType) -> pl.Expr:
    """Applies a Python function once per distinct value; it answers None for what does not parse."""

    def whole(column: pl.Series) -> pl.Series:
        distinct = column.drop_nulls().unique()
        if distinct.is_empty():
            return pl.Series(column.name, [None] * len(column), dtype=dtype)
        answers = pl.Series("_to", [function(v) for v in distinct], dtype=dtype)
        table = pl.DataFrame([distinct.alias("_from"), answers])
        return column.to_frame("_from").join(table, on="_from", how="left", maintain_order="left")["_to"]

    return cell.map_batches(whole, return_dtype=dtype)


def _stripped(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars()


def _text(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Cells as texts; whole numbers in a column of floats lose their ``.0``, as data frames with gaps add it."""
    if dtype == pl.String:
        return pl.when(cell != "").then(cell)
    if dtype.is_float():
        whole = cell.cast(pl.Int64, strict=False)
        return (
            pl.when(whole.cast(pl.Float64) == cell)
            .then(whole.cast(pl.String))
            .otherwise(cell.cast(pl.String))
        )
    return cell.cast(pl.String)


def _time(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """ISO 8601 or Unix seconds; a time without a zone is UTC."""
    if isinstance(dtype, pl.Datetime):
        zoned = (
            cell.dt.replace_time_zone("UTC") if dtype.time_zone is None else cell.dt.convert_time_zone("UTC")
        )
        return _plausible(zoned.cast(UTC_TIME))
    if dtype == pl.Date:
        return _plausible(cell.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    if dtype.is_numeric():
        return _plausible(_unix(cell.cast(pl.Float64)))
    return cell.cast(pl.String).map_batches(_times_of_texts, return_dtype=UTC_TIME)


def _times_of_texts(texts: pl.Series) -> pl.Series:
    """Times in the usual forms; those in the plainest one, mostly all, take the short way."""
    times = texts.str.strptime(UTC_TIME, _ISO, strict=False)
    left = (times.is_null() & texts.is_not_null()).arg_true()
    if left.len():
        times = times.scatter(left, texts.gather(left).to_frame("t").select(_usual(pl.col("t"))).to_series())
    return times.to_frame("t").select(_plausible(pl.col("t"))).to_series()


def _usual(cell: pl.Expr) -> pl.Expr:
    text = _stripped(cell)
    iso = (
        text.str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1}T00:00:00")
        .str.replace(r"^(\d{4}-\d\d-\d\d)[ t]", "${1}T")
        .str.replace(r" ?UTC$", "Z")
        .str.replace(r" ([+-]\d)", "$1")
        .str.replace(r"^(.{10}T\d\d:\d\d)($|[Zz+-])", "${1}:00${2}")
        .str.replace(r"^(.{10}T\d\d:\d\d:\d\d(?:\.\d+)?)[zZ]?$", "${1}+00:00")
    )
    number = text.str.contains(r"^\d{1,11}(\.\d+)?$")
    parsed = iso.str.strptime(UTC_TIME, _ISO, strict=False)
    return pl.when(number).then(_unix(text.cast(pl.Float64, strict=False))).otherwise(parsed)


def _unix(seconds: pl.Expr) -> pl.Expr:
    """Unix seconds to times; whatever lies outside the plausible range is null before it can overflow."""
    sane = pl.when(seconds.is_between(0, 1e11)).then(seconds)
    return (sane * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _plausible(time: pl.Expr) -> pl.Expr:
    return pl.when(time.dt.year().is_between(1970, 2199)).then(time)


def _levels(cell: pl.Expr) -> pl.Expr:
    level = pl.element().str.strip_chars()
    return cell.cast(pl.List(pl.String)).list.eval(level.filter(level != "")).list.head(MAX_LEVELS)


def _path(value: str) -> list[str] | None:
    if value.lstrip().startswith("["):
        try:
            levels = msgspec.json.decode(value, type=list[str | None])
        except msgspec.MsgspecError:
            return None
    else:
        levels = [*re.split(">|›", value)]
    return [name for level in levels if level and (name := level.strip())][:MAX_LEVELS]


def _attributes(value: str) -> str | None:
    try:
        decoded = msgspec.json.decode(value, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
    texts = {
        k: v if isinstance(v, str) else msgspec.json.encode(v).decode()
        for k, v in decoded.items()
        if v is not None
    }
    return msgspec.json.encode(dict(sorted(texts.items())[:MAX_ATTRIBUTES])).decode()
