"""Files from which anybody can recompute the figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.lists import ItemCodes, ItemSets, Lists
from vitrine_export.evaluate.metrics import PerQuery

# What was reached, query by query: `per_query`.
VALUES = "values.parquet"


def predictions(labels: Sequence[str], lists: Lists, codes: ItemCodes) -> pl.DataFrame:
    """Ranked lists as rows: ``query``, ``rank`` from 1, ``item``, ``score``.

    Args:
        labels: What each query is called: the user's id or, for sessions, the number of its line in the test file from 0.
        lists: The list of each query; one for which nothing was found has no row.
        codes: All items.
    """
    query, rank = np.nonzero(lists.items >= 0)
    return pl.DataFrame(
        {
            "query": [labels[q] for q in query.tolist()],
            "rank": (rank + 1).astype(np.int32),
            "item": [codes.ids[c] for c in lists.items[query, rank].tolist()],
            "score": lists.scores[query, rank],
        },
        schema={"query": pl.String, "rank": pl.Int32, "item": pl.String, "score": pl.Float32},
    )


def truth(labels: Sequence[str], group: str, role: str, sets: ItemSets, codes: ItemCodes) -> pl.DataFrame:
    """Item sets of queries as rows: ``query``, ``group``, ``role`` ("target" or "context"), ``item``."""
    return pl.DataFrame(
        {
            "query": [labels[q] for q in sets.queries.tolist()],
            "item": [codes.ids[c] for c in sets.items.tolist()],
        },
        schema={"query": pl.String, "item": pl.String},
    ).select("query", pl.lit(group).alias("group"), pl.lit(role).alias("role"), "item")


def per_query(
    labels: Sequence[str], group: str, values: Mapping[str, Mapping[str, PerQuery]]
) -> pl.DataFrame:
    """Measures of every query as rows: ``query``, ``group``, ``method``, ``measure``, ``value``.

    Args:
        labels: As for `predictions`.
        group: The table that they stand behind.
        values: ``float64[q]`` by method and measure.
    """
    schema = {
        "query": pl.String,
        "group": pl.String,
        "method": pl.String,
        "measure": pl.String,
        "value": pl.Float64,
    }
    parts = [
        pl.DataFrame({"query": labels, "value": column})
        .with_columns(group=pl.lit(group), method=pl.lit(method), measure=pl.lit(measure))
        .select(list(schema))
        for method, measures in values.items()
        for measure, column in measures.items()
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def write_table(path: Path, parts: Sequence[pl.DataFrame], option: str) -> None:
    """Writes a Parquet file.

    Raises:
        InvalidInput: It cannot be written; names the option.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.concat(parts).write_parquet(path)
    except OSError as error:
        raise InvalidInput(option, f"cannot write {path}: {error.strerror or error}") from error


def check_table(path: Path | None, option: str) -> None:
    """Refuses, before anything is done, a file that could not be written in the end.

    Raises:
        InvalidInput: It cannot be written; names the option.
    """
    if path is None:
        return
    there = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise InvalidInput(option, f"cannot write {path}: {error.strerror or error}") from error
