"""Lists of items as a data set."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from vitrine.dataset import Dataset


def plain_dataset(
    folder: Path,
    names: Sequence[str],
    lists: Sequence[Sequence[str]],
    *,
    event: str,
    ordered: bool,
    name: str,
    source: str,
    items: pl.DataFrame | None = None,
    more_items: Iterable[str] = (),
    anonymous: bool = False,
) -> Dataset:
    """Writes lists of items as a data set without times.

    Args:
        folder: Where to.
        names: Whose each list is.
        lists: The items of each.
        event: The type of event that an item stands for.
        ordered: Whether the items of a list stand in the order in which they came.
        name: For people.
        source: What it was made from.
        items: What is known of the items; see `read_items`.
        more_items: Items that no list names and that can be asked for all the same.
        anonymous: Whether the lists are of visitors without an account.
    """
    sizes = np.array([len(one) for one in lists], np.int64)
    owner = np.repeat(np.arange(len(names)), sizes)
    who = pl.Series(names, dtype=pl.String)[owner]
    events = pl.DataFrame(
        {
            "event_id": [f"{row:x}" for row in range(len(owner))],
            "anonymous_id" if anonymous else "user_id": who,
            "item_id": pl.Series([item for one in lists for item in one], dtype=pl.String),
        }
    ).with_columns(type=pl.lit(event))
    named = pl.DataFrame(
        {
            "item_id": pl.concat([events["item_id"], pl.Series(list(more_items), dtype=pl.String)])
            .unique()
            .sort()
        }
    )
    table = (
        named
        if items is None
        else pl.concat([items, named.join(items, on="item_id", how="anti")], how="diagonal")
    )
    return Dataset.write(
        folder, events, table, name=name, source=source, items_given=items is not None, ordered=ordered
    )
