"""Exams as columns."""

import numpy as np
import polars as pl
import scipy.sparse as sp

from vitrine.dataset import Dataset
from vitrine_export.evaluate.lists import ItemCodes, ItemSets
from vitrine_export.evaluate.sequences import Sequences
from vitrine_export.evaluate.temporal import Queries
from vitrine_export.exams.exam import Exam


def rows_of(dataset: Dataset) -> pl.DataFrame:
    """Its events on items: ``user`` (`Subject.key`), ``item``, ``time`` (Unix seconds or null), in order."""
    return (
        dataset.events()
        .select(
            user=pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id")),
            item="item_id",
            time=pl.col("time").dt.epoch("us") / 1e6,
        )
        .drop_nulls(["user", "item"])
        .collect()
    )


def items_of(dataset: Dataset) -> list[str]:
    """Its items, in no order: those of the table, and those that only events name."""
    table = dataset.items()
    named = dataset.events().select("item_id").unique().collect()["item_id"].drop_nulls().to_list()
    return named if table is None else [*named, *table["item_id"].to_list()]


def queries_of(exam: Exam, codes: ItemCodes) -> Queries:
    """The questions of an exam, with what the shop knows of who asks."""
    asked = exam.queries
    users = [query.subject for query in asked]
    row_of = {user: row for row, user in enumerate(users)}
    rows = rows_of(exam.shop).filter(pl.col("user").is_in(pl.Series(users, dtype=pl.String).implode()))
    if exam.until is not None:
        rows = rows.filter(pl.col("time") < exam.until)
    owner = np.array([row_of[user] for user in rows["user"].to_list()], np.int64)
    item = codes.codes(rows["item"].to_list())
    shape = (len(users), len(codes))
    history = sp.csr_array(sp.coo_array((np.ones(len(owner)), (owner, item)), shape))
    history.sum_duplicates()
    sizes = [len(query.targets) for query in asked]
    targets = ItemSets.of_pairs(
        np.repeat(np.arange(len(users)), sizes),
        codes.codes(item for query in asked for item in sorted(query.targets)),
        len(users),
    )
    times = rows["time"].to_numpy() if exam.shop.has.times else None
    ordered = exam.shop.has.ordered
    return Queries(
        users,
        ItemSets(np.zeros(len(users) + 1, np.int64), np.empty(0, np.int32)),
        targets,
        history,
        Sequences.of_rows(owner, item, len(users), times) if ordered else None,
    )
