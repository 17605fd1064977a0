"""Plain files: what is read, and what is said of one that cannot be."""

from pathlib import Path

import polars as pl
import pytest

from vitrine.errors import InvalidInput
from vitrine_export.plain import plain_dataset, read_items, read_prefixes, read_sessions, read_users


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "lines.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_users_and_their_items(tmp_path: Path) -> None:
    lines = read_users(_file(tmp_path, "﻿u1 a b 杯\r\n\n用户\ta\nu1 c\nu3\n"), "train")
    assert lines.names == ["u1", "用户", "u3"]
    assert lines.items == [["a", "b", "杯", "c"], ["a"], []]


def test_sessions_are_named_by_their_lines(tmp_path: Path) -> None:
    lines = read_sessions(_file(tmp_path, "a b a\n\nc d\n"), "train")
    assert (lines.names, lines.items) == (["0", "2"], [["a", "b", "a"], ["c", "d"]])


def test_prefixes_and_targets(tmp_path: Path) -> None:
    found = read_prefixes(_file(tmp_path, "a b\tc\t9\t144\n\na\td\t\t\n"), "test")
    assert found.lines.names == ["0", "2"]
    assert found.lines.items == [["a", "b"], ["a"]]
    assert found.targets == ["c", "d"]
    assert found.owners == ["visitor 9", "line 2"]


def test_without_tabs_the_last_item_is_the_target(tmp_path: Path) -> None:
    found = read_prefixes(_file(tmp_path, "x y z\na b\n"), "test")
    assert (found.lines.items, found.targets) == ([["x", "y"], ["a"]], ["z", "b"])
    assert found.owners == ["line 0", "line 1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\tb\tc\nd\te\n", "line 2: has 2 columns, but line 1 has 3"),
        ("\na b c\n\nd\te\n", "line 4: has 2 columns, but line 2 has 1"),
        ("a\tb\nc d\n", "line 2: has 1 column, but line 1 has 2"),
    ],
)
def test_columns_that_could_be_anything_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"{said}; tabs separate the columns prefix, target, visitor"):
        read_prefixes(_file(tmp_path, text), "test")


@pytest.mark.parametrize("line", ["\tb", "a\t", "a\tb c"])
def test_a_line_that_asks_for_nothing_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidInput, match="line 2: is not 'item item") as told:
        read_prefixes(_file(tmp_path, f"a\tb\n{line}\n"), "test")
    assert str(told.value).startswith("test: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "names no item"),
        (b"u1\nu2\n", "names no item"),
        (b"\xff\xfe", "not UTF-8"),
        ("u " + "x" * 129, "line 1"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_users(_file(tmp_path, text), "train")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_sessions(tmp_path / "none", "train")


def test_words_of_items_are_text(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "item_id": [1, 2],
            "title": ["Cup", None],
            "attributes": [["OPI", "Nails"], None],
            "asin": ["B", "C"],
        }
    )
    table.write_parquet(tmp_path / "items.parquet")
    items = read_items(tmp_path / "items.parquet")
    assert items.rows() == [("1", "Cup", "OPI, Nails"), ("2", "", "")]
    assert items.columns == ["item_id", "title", "description"]


def test_items_without_ids_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"asin": ["B"]}).write_parquet(tmp_path / "items.parquet")
    with pytest.raises(InvalidInput, match="no column item_id, but asin"):
        read_items(tmp_path / "items.parquet")
    (tmp_path / "items.txt").write_text("x")
    with pytest.raises(InvalidInput, match="must end in"):
        read_items(tmp_path / "items.txt")
    (tmp_path / "broken.parquet").write_text("x")
    with pytest.raises(InvalidInput, match="cannot read"):
        read_items(tmp_path / "broken.parquet")


def test_lists_become_a_data_set_that_says_what_it_has(tmp_path: Path) -> None:
    lists = [["a", "b", "a"], ["c"]]
    data = plain_dataset(
        tmp_path,
        ["u1", "u2"],
        lists,
        event="click",
        ordered=True,
        name="n",
        source="s",
        more_items=["z"],
        anonymous=True,
    )
    assert (data.has.times, data.has.order, data.has.ordered, data.has.items) == (False, True, True, False)
    rows = data.events().select("anonymous_id", "item_id", "type").collect().rows()
    assert rows == [("u1", "a", "click"), ("u1", "b", "click"), ("u1", "a", "click"), ("u2", "c", "click")]
    items = data.items()
    assert items is not None
    assert items["item_id"].to_list() == ["a", "b", "c", "z"]


def test_identifiers_of_csv_are_text(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n007,Cup\n", "utf-8")
    assert read_items(tmp_path / "items.csv").rows() == [("007", "Cup")]


def test_a_column_of_items_that_holds_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,price_micros\na,free\n", "utf-8")
    with pytest.raises(InvalidInput, match="column price_micros is String, not Int64"):
        read_items(tmp_path / "items.csv")
