"""Lines that break a file's format: finding the first, or copying the file without them.

Polars says that a file is broken but not where. This reads the file again, line by line, only after that happened.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_NOT_UTF8 = "is not UTF-8; convert the file first, for example `iconv -f GB18030 -t UTF-8 OLD > NEW` for Chinese Windows files"

# A data row: its text as written to a copy, and what is wrong with it (nothing when it is well formed).
Row = tuple[Any, str]


def separator(path: Path) -> str:
    """The separator of a CSV file's header: comma, semicolon or tab, whichever is there most."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    return max(",;\t", key=header.count)


def first_broken(path: Path) -> tuple[int, str] | None:
    """The 1-based number of the first broken data row and what is wrong with it."""
    for number, (_, problem) in enumerate(_rows(path), 1):
        if problem:
            return number, problem
    return None


def copy_without_broken(path: Path, target: Path) -> int:
    """Copies the well-formed rows to ``target`` and answers how many were left out."""
    broken = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".csv":
            out = csv.writer(file, delimiter=separator(path))
            out.writerow(_header(path))
        for row, problem in _rows(path):
            if problem:
                broken += 1
            elif isinstance(row, bytes):
                file.write(row.decode())
            else:
                out.writerow(row)
    return broken


def _rows(path: Path) -> Iterator[Row]:
    return _csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path)


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file, delimiter=separator(path)))


def _csv_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    # Bytes that are no UTF-8 become lone surrogates, so that their row can be told.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=separator(path), strict=True)
        width = len(next(reader, []))
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield [], f"has a quotation mark out of place ({error}); double it inside a quoted cell"
                continue
            if len(row) > width:
                yield (
                    row,
                    f"has {len(row)} cells where the header has {width}; quote cells that contain separators",
                )
            elif any(
                "\udc80" <= character <= "\udcff" for cell in row if not cell.isascii() for character in cell
            ):
                yield row, _NOT_UTF8
            else:
                yield row, ""


def _json_rows(path: Path) -> Iterator[Row]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                line.decode()
                decode(line)
            except UnicodeDecodeError:
                yield line, _NOT_UTF8
            except msgspec.MsgspecError as error:
                yield line, f"is not one JSON object ({error}); write one object a line"
            else:
                yield line if line.endswith(b"\n") else line + b"\n", ""
