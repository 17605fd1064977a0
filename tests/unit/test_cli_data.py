"""`vitrine import` and `vitrine simulate` as a person types them."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from vitrine.cli.data import app
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput

run = CliRunner().invoke


def test_simulate_then_import_what_it_made(tmp_path: Path) -> None:
    made = tmp_path / "made"
    sizes = ["--shoppers", "60", "--items", "50", "--days", "20", "--seed", "4", "--end", "2026-05-01"]
    shown = run(app, ["simulate", "--out", str(made), *sizes])
    assert shown.exit_code == 0, shown.output
    assert "60 shoppers" in shown.output
    data = Dataset.open(made)
    events = data.events().with_columns(value=pl.col("value_micros") / 1e6).drop("value_micros").collect()
    events.write_csv(tmp_path / "events.csv")
    items = data.items()
    assert items is not None
    items.with_columns(price=pl.col("price_micros") / 1e6).drop("price_micros").write_parquet(
        tmp_path / "items.parquet"
    )
    out = tmp_path / "again"
    shown = run(
        app,
        [
            "import",
            str(tmp_path / "events.csv"),
            "--items",
            str(tmp_path / "items.parquet"),
            "--out",
            str(out),
        ],
    )
    assert shown.exit_code == 0, shown.output
    assert "columns not used: events.dwell_seconds" in shown.output
    again = Dataset.open(out)
    same = (
        "event_id",
        "user_id",
        "anonymous_id",
        "item_id",
        "type",
        "time",
        "value_micros",
        "currency",
        "text",
    )
    assert again.events().select(same).collect().equals(data.events().select(same).collect())
    found = again.items()
    assert found is not None
    assert found.equals(items)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["online-retail"], "FILE: name the UCI file"),
        (["online-retail", "a.parquet", "--items", "b.csv"], "--items: the UCI file carries its items"),
        (["a.csv", "b.csv"], "EVENTS: one file of events"),
        (["absent.csv"], "events: there is no file absent.csv"),
        (["absent.csv", "--currency", "pounds"], "currency: 'pounds' is no ISO 4217 code"),
    ],
)
def test_mistakes_are_named(words: list[str], named: str) -> None:
    result = run(app, ["import", *words])
    assert isinstance(result.exception, InvalidInput)
    assert named in str(result.exception)


@pytest.mark.parametrize("command", ["import", "simulate"])
def test_help_teaches(command: str) -> None:
    shown = run(app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"vitrine {command} " in shown.output
