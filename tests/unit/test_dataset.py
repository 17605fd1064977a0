"""Data sets on disk: what is written is read back, and what is not whole is refused."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from vitrine.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset
from vitrine.errors import InvalidInput


def _events() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": ["b", "a", "c"],
            "user_id": ["u1", None, "u2"],
            "anonymous_id": [None, "v1", None],
            "item_id": ["i1", "i2", "i1"],
            "type": ["purchase", "view", "view"],
            "time": [datetime(2026, 1, day, tzinfo=UTC) for day in (2, 1, 2)],
        }
    )


def test_events_come_back_by_time_with_every_column(tmp_path: Path) -> None:
    items = pl.DataFrame({"item_id": ["i1"], "title": ["茶壶"], "price_micros": [12_990_000]})
    Dataset.write(tmp_path / "new" / "shop", _events(), items, name="shop", source="test", currency="GBP")
    data = Dataset.open(tmp_path / "new" / "shop")
    events = data.events().collect()
    assert dict(events.schema) == dict(EVENT_SCHEMA)
    assert events["event_id"].to_list() == ["a", "b", "c"]  # by time; equal times keep their order
    catalog = data.items()
    assert catalog is not None
    assert dict(catalog.schema) == dict(ITEM_SCHEMA)
    assert catalog.row(0, named=True) | {
        "title": "茶壶",
        "availability": "in_stock",
        "category_path": [],
    } == catalog.row(0, named=True)
    assert (data.manifest.events, data.manifest.items, data.manifest.currency) == (3, 1, "GBP")
    assert data.manifest.first_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert data.manifest.last_time == datetime(2026, 1, 2, tzinfo=UTC)
    assert (data.has.times, data.has.items, data.has.text, data.has.prices) == (True, True, True, True)
    assert (data.has.categories, data.has.brands) == (False, False)


def test_without_times_the_order_of_rows_stays(tmp_path: Path) -> None:
    Dataset.write(tmp_path, _events().drop("time"), None, name="shop", source="test")
    data = Dataset.open(tmp_path)
    assert data.events().collect()["event_id"].to_list() == ["b", "a", "c"]
    assert not data.has.times
    assert not data.has.items
    assert data.items() is None
    assert data.manifest.first_time is None


def test_writing_again_replaces_everything(tmp_path: Path) -> None:
    Dataset.write(tmp_path, _events(), pl.DataFrame({"item_id": ["i1"]}), name="old", source="test")
    Dataset.write(tmp_path, _events().head(1), None, name="new", source="test")
    data = Dataset.open(tmp_path)
    assert (data.manifest.name, data.manifest.events, data.items()) == ("new", 1, None)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("no manifest", "is not a data set"),
        ("no events", "is not a data set"),
        ("broken manifest", "is damaged"),
        ("broken events", "is damaged"),
        ("other version", "version 99"),
        ("other columns", "lacks or mistypes"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, damage: str, message: str) -> None:
    Dataset.write(tmp_path, _events(), None, name="shop", source="test")
    manifest, events = tmp_path / "dataset.json", tmp_path / "events.parquet"
    match damage:
        case "no manifest":
            manifest.unlink()
        case "no events":
            events.unlink()
        case "broken manifest":
            manifest.write_text('{"schema_version": "one"}')
        case "broken events":
            events.write_bytes(events.read_bytes()[:-20])
        case "other version":
            manifest.write_text(manifest.read_text().replace('"schema_version": 1', '"schema_version": 99'))
        case "other columns":
            pl.DataFrame({"event_id": [1]}).write_parquet(events)
    with pytest.raises(InvalidInput, match=message):
        Dataset.open(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"out: cannot write .*file"):
        Dataset.write(tmp_path / "file" / "shop", _events(), None, name="shop", source="test")
