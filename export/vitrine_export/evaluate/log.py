"""The part of a log that counts for an evaluation: who took what, when."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.evaluate.lists import Codes, ItemCodes
from vitrine_export.targets import target_types

Matrix = sp.csr_array


def targets_of(dataset: Dataset) -> pl.DataFrame:
    """The events to foresee, in order of time: ``user`` (`Subject.key`), ``item``, ``time`` (Unix seconds).

    Raises:
        InvalidInput: The data set has no times, or no such events.
    """
    if not dataset.has.times:
        raise InvalidInput("data", "its events have no times, and a split by date needs them")
    table = (
        dataset.events()
        .filter(pl.col("type").is_in(target_types(dataset)) & pl.col("item_id").is_not_null())
        .select(
            user=pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id")),
            item="item_id",
            time=pl.col("time").dt.epoch("us") / 1e6,
        )
        .drop_nulls()
        .collect()
    )
    if table.is_empty():
        raise InvalidInput("data", "has no event that shows an interest in an item; nothing can be measured")
    return table


@dataclass(frozen=True, slots=True)
class Log:
    """n takings of items by shoppers, as columns. Lines of one moment that repeat a shopper and item are one.

    Attributes:
        users: Shoppers (`Subject.key`) by code.
        user: ``int32[n]`` codes.
        item: ``int32[n]`` codes of an `ItemCodes`.
        time: ``float64[n]``, Unix seconds.
        items: How many items there are in all.
    """

    users: list[str]
    user: Codes
    item: Codes
    time: npt.NDArray[np.float64]
    items: int

    @classmethod
    def of(cls, table: pl.DataFrame, codes: ItemCodes) -> "Log":
        """The log of rows as `targets_of` answers them."""
        rows = table.unique(maintain_order=True)
        users = sorted(set(rows["user"].to_list()))
        code_of = {user: code for code, user in enumerate(users)}
        return cls(
            users,
            np.array([code_of[user] for user in rows["user"].to_list()], np.int32),
            codes.codes(rows["item"].to_list()),
            rows["time"].to_numpy(),
            len(codes),
        )

    def counts(self, spare: int = 0) -> Matrix:
        """``float64[users + spare, items]``, how often a shopper took an item; spare rows are empty."""
        shape = len(self.users) + spare, self.items
        return sp.csr_array(sp.coo_array((np.ones(len(self.user)), (self.user, self.item)), shape))
