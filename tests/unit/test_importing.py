"""Importing a shop's own logs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.importing import import_files
from vitrine_export.importing.cells import parse
from vitrine_export.importing.columns import EVENT_COLUMNS, ITEM_COLUMNS
from vitrine_export.importing.identify import derived_ids

EVENTS: list[dict[str, Any]] = [
    {
        "event_id": "e1",
        "user_id": "u1",
        "item_id": "i1",
        "type": "view",
        "time": "2026-03-01T10:00:00Z",
        "dwell": 12.5,
        "attributes": {"colour": "red", "shelf": "3"},
    },
    {
        "event_id": "e2",
        "user_id": "u1",
        "item_id": "i1",
        "type": "purchase",
        "time": "2026-03-01T18:05:00+08:00",
    }
    | {"value": 19.99, "quantity": 2.0},
    {
        "event_id": "e3",
        "anonymous_id": "v1",
        "type": "search",
        "time": "2026-03-01 11:00",
        "text": '咖啡杯, "大"',
    },
    {
        "event_id": "e4",
        "user_id": "u2",
        "item_id": "i2",
        "type": "rating",
        "time": "2026-03-02",
        "rating": 4.0,
    },
]
ITEMS: list[dict[str, Any]] = [
    {
        "item_id": "i1",
        "title": "Coffee Mug",
        "category_path": ["Kitchen", "Mugs"],
        "brand": "Tavola",
        "price": 19.99,
        "created_time": "2026-01-01",
    },
    {"item_id": "i2", "title": "咖啡杯", "description": "陶瓷，\n两只装", "availability": "Out of stock"},
]


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    else:
        flat = [
            {
                k: " > ".join(x) if isinstance(x, list) else json.dumps(x) if isinstance(x, dict) else x
                for k, x in row.items()
            }
            for row in rows
        ]
        pl.DataFrame(flat, infer_schema_length=None).select(names).write_csv(path)
    return path


def _csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_three_formats_give_one_data_set(tmp_path: Path) -> None:
    made = []
    for suffix in ("csv", "jsonl", "parquet"):
        events, items = (
            _write(tmp_path / f"{n}.{suffix}", r) for n, r in (("events", EVENTS), ("items", ITEMS))
        )
        report = import_files(events, items, tmp_path / suffix, name="shop", currency="gbp")
        assert (report.read, report.kept, report.dropped) == (4, 4, {})
        made.append(Dataset.open(tmp_path / suffix))
    tables = [(data.events().collect(), data.items()) for data in made]
    for events_table, items_table in tables:
        assert events_table.equals(tables[0][0])
        assert items_table is not None
        assert tables[0][1] is not None
        assert items_table.equals(tables[0][1])
    events_table, items_table = tables[0]
    assert items_table is not None
    assert events_table["time"].to_list() == [
        datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
        datetime(2026, 3, 1, 10, 5, tzinfo=UTC),
        datetime(2026, 3, 1, 11, 0, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    ]
    assert events_table["value_micros"].to_list() == [None, 19_990_000, None, None]
    assert events_table["currency"].to_list() == [None, "GBP", None, None]
    assert events_table["text"][2] == '咖啡杯, "大"'
    assert events_table["attributes"][0] == '{"colour":"red","shelf":"3"}'
    assert items_table["title"].to_list() == ["Coffee Mug", "咖啡杯"]
    assert items_table["category_path"].to_list() == [["Kitchen", "Mugs"], []]
    assert items_table["availability"].to_list() == ["in_stock", "out_of_stock"]


def test_every_dropped_row_is_counted_by_its_reason(tmp_path: Path) -> None:
    good = "e0,u1,,i1,view,2026-01-01,,,,"
    rows = {
        "duplicate": "e0,u2,,i2,view,2026-01-02,,,,",
        "no subject": "e1,,,i1,view,2026-01-01,,,,",
        "no item": "e2,u1,,,view,2026-01-01,,,,",
        "no query": "e3,u1,,,search,2026-01-01,,,,",
        "unknown type": "e4,u1,,i1,teleport,2026-01-01,,,,",
        "no time": "e5,u1,,i1,view,,,,,",
        "impossible price": "e6,u1,,i1,purchase,2026-01-01,-1,EUR,,",
        "cancellation": "e7,u1,,i1,purchase,2026-01-01,5,EUR,-1,",
        "impossible quantity": "e8,u1,,i1,purchase,2026-01-01,5,EUR,0,",
        "impossible rating": "e9,u1,,i1,rating,2026-01-01,,,,inf",
        "identifier too long": f"e10,u1,,{'界' * 43},view,2026-01-01,,,,",
        "empty row": ",,,,,,,,,",
    }
    header = "event_id,user_id,anonymous_id,item_id,type,time,value,currency,quantity,rating"
    file = _csv(
        tmp_path / "events.csv",
        "\n".join([header, good, *rows.values(), "x1,u1,,i1,view,2026-01-03,nan,EUR,,"]),
    )
    report = import_files(file, None, tmp_path / "out")
    assert report.dropped == dict.fromkeys(rows, 1) | {"impossible price": 2}
    assert (report.read, report.kept) == (14, 1)
    assert report.read == report.kept + sum(report.dropped.values())
    assert report.notes["events of the unknown type 'teleport'"] == 1
    kept = Dataset.open(tmp_path / "out").events().collect()
    assert kept["user_id"].to_list() == ["u1"]  # of two events of one id the first is kept
    console = Console(width=100)
    with console.capture() as shown:
        console.print(report.render())
    assert "dropped: cancellation" in shown.get()


def test_items_dropped_and_replaced(tmp_path: Path) -> None:
    events = _csv(tmp_path / "events.csv", "user_id,item_id,type\nu1,a,view\nu1,stranger,view\n")
    items = _csv(
        tmp_path / "items.csv",
        "item_id,title,price,currency,availability\na,old,1,EUR,\na,new,2,EUR,preorder\n,x,,,\nb,,-3,EUR,\nc,,,,perhaps\n",
    )
    report = import_files(events, items, tmp_path / "out")
    assert report.items_dropped == {
        "duplicate": 1,
        "no item": 1,
        "impossible price": 1,
        "unknown availability": 1,
    }
    assert report.notes["events kept whose item is not in the items file"] == 1
    catalog = Dataset.open(tmp_path / "out").items()
    assert catalog is not None
    assert catalog.select("item_id", "title", "price_micros", "availability").rows() == [
        ("a", "new", 2_000_000, "preorder")
    ]


HEAD = "user_id,item_id,type,time,value,currency,quantity,attributes\n"
OK = "u1,i1,view,2026-01-01,,,,\n"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("u1,i1,view,yesterday,,,,\n", r"events\.csv, row 3, column time: 'yesterday'.*ISO 8601"),
        ("u1,i1,view,1767225600000,,,,\n", r"row 3, column time: '1767225600000'.*Unix seconds"),
        ("u1,i1,view,2026-02-30,,,,\n", r"row 3, column time: '2026-02-30'"),
        ('u1,i1,purchase,2026-01-01,"12,50",EUR,,\n', r"row 3, column value: '12,50'.*decimal number"),
        ("u1,i1,purchase,2026-01-01,12,Euro,,\n", r"row 3, column currency: 'Euro'.*ISO 4217"),
        (
            "u1,i1,purchase,2026-01-01,12,,,\n",
            r"row 3, column currency: a value without a currency; give --currency",
        ),
        ("u1,i1,purchase,2026-01-01,,,two,\n", r"row 3, column quantity: 'two'"),
        ("u1,i1,view,2026-01-01,,,,red\n", r"row 3, column attributes: 'red'.*JSON object"),
        ("u1,i1,view,2026-01-01,,,,,,\n", r"row 3 has 10 cells where the header has 8"),
        ('u1,i1,view,2026-01-01,,,,"x"y\n', r"row 3 has a quotation mark out of place"),
        ('u1,i1,view,2026-01-01,,,,"open\n', r"row 3 has a quotation mark out of place"),
    ],
)
def test_malformed_csv_names_row_and_column(tmp_path: Path, line: str, named: str) -> None:
    file = _csv(tmp_path / "events.csv", HEAD + OK + OK + line)
    with pytest.raises(InvalidInput, match=named):
        import_files(file, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = import_files(file, None, tmp_path / "out", on_error="drop")
    assert (report.read, report.kept, sum(report.dropped.values())) == (3, 2, 1)
    assert next(iter(report.dropped)).startswith(("malformed ", "no currency"))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b'{"user_id": "u1"', r"events\.jsonl, row 2 is not one JSON object"),
        (b"[1, 2]", r"row 2 is not one JSON object"),
        (b'{"user_id": "u1", "value": NaN}', r"row 2 is not one JSON object"),
        (b'{"user_id": "\xff"}', r"row 2 is not UTF-8.*iconv"),
        (b'{"user_id": "u1", "item_id": "i", "type": "view", "time": "soon"}', r"row 2, column time: 'soon'"),
    ],
)
def test_malformed_json_names_the_row(tmp_path: Path, line: bytes, named: str) -> None:
    file = tmp_path / "events.jsonl"
    fine = b'{"user_id": "u1", "item_id": "i1", "type": "view", "time": 1767225600}\n'
    file.write_bytes(fine + b"\n" + line + b"\n" + fine)
    with pytest.raises(InvalidInput, match=named):
        import_files(file, None, tmp_path / "out")
    report = import_files(file, None, tmp_path / "out", on_error="drop")
    assert (report.read, report.kept, sum(report.dropped.values())) == (3, 2, 1)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("events.csv", None, r"events: there is no file .*events\.csv"),
        ("events.xlsx", b"PK", r"must end in \.parquet, \.csv"),
        ("events.csv", b"", r"events\.csv is empty; it needs the columns item_id and type"),
        ("events.jsonl", b"", r"events\.jsonl is empty; it needs the columns item_id and type"),
        ("events.parquet", b"PAR1 and no more", r"events\.parquet cannot be read"),
        ("events.csv", b"user_id,itemid,type\nu,i,view\n", r"has no column item_id; rename 'itemid'"),
        ("events.csv", b"user_id,item_id\nu,i\n", r"has no column type; the file has user_id, item_id"),
        ("events.jsonl", b'{"user_id": "u", "item_id": "i"}\n', r"has no column type"),
        ("events.csv", b"item_id,type\ni,view\n", r"needs a column user_id or anonymous_id"),
        ("events.csv", b"user_id,item_id,type\n", r"no event is left \(the file has no rows\)"),
        ("events.csv", b"user_id,item_id,type\nu,i,stare\n", r"no event is left \(1 × unknown type\)"),
        (
            "events.csv",
            "user_id,item_id,type\n张,杯,view\n".encode("gb18030"),
            r"row 1 is not UTF-8.*GB18030",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, name: str, content: bytes | None, named: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=named):
        import_files(tmp_path / name, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": [["u"]], "item_id": ["i"], "type": ["view"]}).write_parquet(
        tmp_path / "e.parquet"
    )
    with pytest.raises(InvalidInput, match=r"column user_id holds List\(String\); write a text"):
        import_files(tmp_path / "e.parquet", None, tmp_path / "out")


def test_repeated_lines_without_ids_stay_apart_and_keep_their_ids(tmp_path: Path) -> None:
    lines = ["u1,i1,purchase,2026-01-01", "u1,i1,purchase,2026-01-01", "u2,i1,view,2026-01-02"]
    head = "user_id,item_id,type,time"
    first = _csv(tmp_path / "a.csv", "\n".join([head, *lines]))
    later = _csv(tmp_path / "b.csv", "\n".join([head, *reversed(lines), "u3,i1,view,2026-01-03"]))
    ids = []
    for number, file in enumerate((first, first, later)):
        import_files(file, None, tmp_path / str(number))
        ids.append(Dataset.open(tmp_path / str(number)).events().collect())
    assert ids[0]["event_id"].n_unique() == 3
    assert ids[0].equals(ids[1])
    assert set(ids[0]["event_id"]) < set(ids[2]["event_id"])


def test_derived_ids_are_the_same_on_every_machine() -> None:
    frame = pl.DataFrame({"user_id": ["u1", "u1", None], "time": [1, 1, None], "value": [0.5, 0.5, None]})
    assert derived_ids(frame).to_list() == derived_ids(frame.select("value", "time", "user_id")).to_list()
    assert derived_ids(frame)[0] == "1644a2130c67a12270c3172a81313137"


def test_derived_ids_of_a_row_do_not_depend_on_other_rows() -> None:
    schema = {"user_id": pl.String(), "text": pl.String(), "value": pl.Float64()}
    short = pl.DataFrame([("u1", None, None)], schema, orient="row")
    longer = pl.DataFrame([("u2", "x", 0.0), ("u1", None, None), ("u1", None, 0.0)], schema, orient="row")
    assert derived_ids(longer)[1] == derived_ids(short)[0]
    assert derived_ids(longer)[2] != derived_ids(short)[0]  # nothing is not zero


@given(
    st.lists(
        st.tuples(
            st.text(max_size=3) | st.none(),
            st.integers(0, 2) | st.none(),
            st.sampled_from([0.0, -0.0, 1.5, None]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_derived_ids_differ_for_all_rows(rows: list[tuple[str | None, int | None, float | None]]) -> None:
    frame = pl.DataFrame(rows, {"a": pl.String, "b": pl.Int64, "c": pl.Float64}, orient="row")
    ids = derived_ids(frame)
    assert ids.n_unique() == len(rows)
    assert set(ids.str.len_bytes()) == {32}
    assert sorted(derived_ids(frame.reverse())) == sorted(ids)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02 03:04:05",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02 03:04:05 UTC",
        "1767323045",
        "2026-01-02T03:04:05.000000z",
        "2026-01-02T11:04:05+0800",
        "2026-01-02 04:04:05 +01",
        " 2026-01-02T03:04:05Z ",
        "1767323045.0",
    ],
)
def test_times_are_read_in_their_usual_forms(text: str) -> None:
    frame = pl.DataFrame({"time": [text]})
    parsed = frame.select(parse(EVENT_COLUMNS["time"], pl.String(), "events")).item()
    assert parsed == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_times_keep_their_moment(time: datetime, minutes: int) -> None:
    from datetime import timedelta, timezone

    zoned = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    if not 1970 <= zoned.astimezone(UTC).year < 2200:
        return
    frame = pl.DataFrame({"time": [zoned.isoformat()]})
    assert frame.select(parse(EVENT_COLUMNS["time"], pl.String(), "events")).item() == zoned


def test_identifiers_keep_their_value_whatever_their_type() -> None:
    column = EVENT_COLUMNS["user_id"]
    for cells in ([17850.0, None], [17850, None], ["17850", ""]):
        frame = pl.DataFrame({"user_id": cells})
        assert frame.select(parse(column, frame.schema["user_id"], "events")).to_series().to_list() == [
            "17850",
            None,
        ]


def test_what_is_missing_is_off_and_said_to_be(tmp_path: Path) -> None:
    events = _csv(
        tmp_path / "events.csv", "user_id,item_id,type,colour\nu1,i2,view,red\nu1,i1,purchase,red\n"
    )
    report = import_files(events, None, tmp_path / "bare")
    assert set(report.off) == {"times", "items"}
    assert report.ignored == ["events.colour"]
    data = Dataset.open(tmp_path / "bare")
    assert (data.has.times, data.has.items, data.manifest.items) == (False, False, 2)
    catalog = data.items()
    assert catalog is not None
    assert catalog["item_id"].to_list() == ["i1", "i2"]
    items = _csv(tmp_path / "items.csv", "item_id,brand\ni1,Tavola\ni2,\n")
    report = import_files(events, items, tmp_path / "brands")
    assert set(report.off) == {"times", "text", "prices", "categories", "created_times"}
    assert Dataset.open(tmp_path / "brands").has.brands


def test_long_texts_are_cut_and_paths_understood(tmp_path: Path) -> None:
    frame = pl.DataFrame({"title": ["杯" * 2000], "category_path": [" A >B> > 茶 具 "]})
    cut = frame.select(parse(ITEM_COLUMNS["title"], pl.String(), "items")).item()
    assert cut == "杯" * 256
    path = frame.select(parse(ITEM_COLUMNS["category_path"], pl.String(), "items")).to_series().to_list()
    assert path == [["A", "B", "茶 具"]]


def test_a_semicolon_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes("user_id;item_id;type\nu1;杯;Add to cart\n".encode("utf-8-sig"))
    import_files(file, None, tmp_path / "out")
    row = Dataset.open(tmp_path / "out").events().collect().row(0, named=True)
    assert (row["user_id"], row["item_id"], row["type"]) == ("u1", "杯", "add_to_cart")
