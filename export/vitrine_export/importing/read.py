"""Opens a Parquet, CSV or JSON Lines file as a table of the documented columns, with numbered rows."""

import difflib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from vitrine.errors import InvalidInput
from vitrine_export.importing.cells import EXPECTED, parse, present
from vitrine_export.importing.columns import Column, Kind
from vitrine_export.importing.structure import copy_without_broken, first_broken, separator

SUFFIXES = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".jsonl": "json", ".ndjson": "json"}
ROW, BAD_COLUMN, BAD_CELL, EMPTY = "_row", "_bad_column", "_bad_cell", "_empty"
_PARSED = "_parsed_"


@dataclass
class Table:
    """A file that has been read and parsed, cell by cell.

    Attributes:
        path: The file.
        frame: The documented columns that the file has, parsed; `ROW` numbers data rows from 1; `BAD_COLUMN` and
            `BAD_CELL` name the first cell of a row that did not parse; `EMPTY` marks rows without any cell.
        ignored: Columns of the file that are not documented.
        malformed: Rows left out because they broke the file's format.
        drop: Malformed rows are left out rather than refused.
    """

    path: Path
    frame: pl.DataFrame
    ignored: list[str] = field(default_factory=list)
    malformed: int = 0
    drop: bool = False

    def has(self, column: str) -> bool:
        """Whether the file has the column, with something in it."""
        return column in self.frame.columns and self.frame[column].null_count() < self.frame.height


def read_table(path: Path, columns: Mapping[str, Column], field_name: str, *, drop: bool) -> Table:
    """Reads a file.

    Args:
        path: A Parquet, CSV or JSON Lines file, told by its suffix.
        columns: The documented columns.
        field_name: What to call the file in errors: "events" or "items".
        drop: Leave malformed rows out, counted, instead of refusing the file.

    Raises:
        InvalidInput: The file cannot be read, lacks a required column, or (unless ``drop``) has a malformed row;
            the message names file, row and column and says what to do.
    """
    if not path.is_file():
        raise InvalidInput(field_name, f"there is no file {path}; check the path")
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInput(field_name, f"{path.name} must end in .parquet, .csv, .jsonl or .ndjson")
    if path.stat().st_size == 0:
        raise InvalidInput(field_name, f"{path.name} is empty; it needs the columns {_required(columns)}")
    try:
        table = _read(path, columns, field_name)
    except (pl.exceptions.PolarsError, OSError) as error:
        if SUFFIXES[path.suffix.lower()] == "parquet" or (found := first_broken(path)) is None:
            raise InvalidInput(field_name, f"{path.name} cannot be read: {_first_line(error)}") from error
        if not drop:
            row, problem = found
            raise InvalidInput(field_name, f"{path.name}, row {row} {problem}. {_MEND}") from error
        with tempfile.TemporaryDirectory(prefix="vitrine-import-") as folder:
            mended = Path(folder) / path.name
            malformed = copy_without_broken(path, mended)
            table = _read(mended, columns, field_name)
        table.path, table.malformed = path, malformed
    table.drop = drop
    if not drop:
        _refuse_malformed(table, columns, field_name)
    return table


_MEND = "Correct it, or leave such rows out with --on-error drop"


def _read(path: Path, columns: Mapping[str, Column], field_name: str) -> Table:
    kind = SUFFIXES[path.suffix.lower()]
    if kind == "json":
        # Texts all through: no type is guessed from the first lines, and nested values stay JSON.
        names = list(pl.scan_ndjson(path, infer_schema_length=1000).collect_schema())
        scan = pl.scan_ndjson(path, schema=dict.fromkeys(columns, pl.String()))
        schema = dict(scan.collect_schema())
    else:
        csv = kind == "csv"
        scan = (
            pl.scan_csv(path, infer_schema=False, separator=separator(path)) if csv else pl.scan_parquet(path)
        )
        schema = dict(scan.collect_schema())
        names = list(schema)
        _refuse_missing(path, columns, names, field_name)
    used = {name: schema[name] for name in columns if name in schema}
    # Cells are parsed once, beside the raw ones, and then judged.
    parsed = (parse(columns[name], dtype, field_name).alias(_PARSED + name) for name, dtype in used.items())
    rows = scan.with_row_index(ROW, offset=1).with_columns(*parsed)
    frame = rows.select(ROW, *_judged(columns, used)).collect(engine="streaming")
    if kind == "json":
        late = [n for n in frame.columns if n in columns and frame[n].null_count() < frame.height]
        _refuse_missing(path, columns, [*names, *late], field_name)
    return Table(path, frame, [name for name in names if name not in columns])


def _judged(columns: Mapping[str, Column], used: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Parsed columns, the first cell of each row that did not parse, and whether the row has any cell."""
    bad_column, bad_cell = [], []
    for name, dtype in used.items():
        # A word that is not known is counted, not malformed; texts and identifiers always parse.
        if columns[name].kind in {Kind.WORD, Kind.TEXT, Kind.ID}:
            continue
        bad = present(name, dtype) & pl.col(_PARSED + name).is_null()
        raw = pl.lit("a nested value") if dtype.is_nested() else pl.col(name).cast(pl.String)
        bad_column.append(pl.when(bad).then(pl.lit(name)))
        bad_cell.append(pl.when(bad).then(raw))
    nothing = pl.lit(None, dtype=pl.String)
    words = [name for name in used if columns[name].kind is Kind.WORD]
    return [
        *(pl.col(_PARSED + name).alias(name) for name in used),
        *(pl.col(name).cast(pl.String).alias(f"_{name}") for name in words),
        pl.coalesce(*bad_column, nothing).alias(BAD_COLUMN),
        pl.coalesce(*bad_cell, nothing).alias(BAD_CELL),
        (~pl.any_horizontal(present(name, dtype) for name, dtype in used.items())).alias(EMPTY),
    ]


def _refuse_missing(path: Path, columns: Mapping[str, Column], names: list[str], field_name: str) -> None:
    for column in columns.values():
        if not column.required or column.name in names:
            continue
        near = difflib.get_close_matches(column.name, [n for n in names if n not in columns], n=1, cutoff=0.5)
        hint = f"rename {near[0]!r} if that is it" if near else f"the file has {_listed(names)}"
        raise InvalidInput(
            field_name, f"{path.name} has no column {column.name}; {hint}. docs/data.md lists the columns"
        )


def _listed(names: list[str]) -> str:
    """Some of the names, fit to be printed whatever the file is."""
    shown = ", ".join(
        name if name.isprintable() and len(name) <= 40 else repr(name[:40]) for name in names[:12]
    )
    return (shown or "no columns") + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _refuse_malformed(table: Table, columns: Mapping[str, Column], field_name: str) -> None:
    bad = table.frame.lazy().filter(pl.col(BAD_COLUMN).is_not_null()).head(1).collect()
    if bad.is_empty():
        return
    first = bad.row(0, named=True)
    column = columns[first[BAD_COLUMN]]
    raise InvalidInput(
        f"{field_name}.{column.name}",
        f"{table.path.name}, row {first[ROW]}, column {column.name}: {first[BAD_CELL][:80]!r} cannot be read; "
        f"{EXPECTED[column.kind]}. {_MEND}",
    )


def _required(columns: Mapping[str, Column]) -> str:
    return " and ".join(c.name for c in columns.values() if c.required)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200] or type(error).__name__
