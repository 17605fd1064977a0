"""Files from which anybody can recompute the figures."""

from pathlib import Path

import polars as pl
import pytest

from tests.unit.evaluate.support import lists, sets
from vitrine.errors import InvalidInput
from vitrine_export.evaluate.lists import ItemCodes
from vitrine_export.evaluate.predictions import predictions, truth, write_table

CODES = ItemCodes(["a", "b", "c"], seed=0)


def test_lists_as_rows() -> None:
    rows = predictions(["0", "1", "2"], lists([2, 0], [], [1], k=2), CODES)
    assert rows.rows() == [("0", 1, "c", 1.0), ("0", 2, "a", 1.0), ("2", 1, "b", 1.0)]
    assert rows.schema == {"query": pl.String, "rank": pl.Int32, "item": pl.String, "score": pl.Float32}


def test_targets_as_rows() -> None:
    rows = truth(["ann", "bob"], "known", "target", sets([1], [0, 2]), CODES)
    assert rows.rows() == [
        ("ann", "known", "target", "b"),
        ("bob", "known", "target", "a"),
        ("bob", "known", "target", "c"),
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="predictions"):
        write_table(tmp_path / "file" / "lists.parquet", [pl.DataFrame({"a": [1]})], "predictions")
