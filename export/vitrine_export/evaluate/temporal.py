"""The split by date: what came before trains, the shoppers of the window ask, what they then took is the answer."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine_export.evaluate.lists import ItemCodes, ItemSets
from vitrine_export.evaluate.log import Log, Matrix, targets_of
from vitrine_export.evaluate.sequences import Sequences
from vitrine_export.targets import BASKET_SECONDS, SMALLEST_BASKET


@dataclass(frozen=True, slots=True)
class Queries:
    """q questions for a list.

    Attributes:
        users: q customers.
        contexts: What lies in each one's basket; empty for known customers.
        targets: What each one then took.
        history: ``float64[q, n]``, how often each took which item before; of new customers, the basket.
        sequences: The same in order; ``None`` where the data have none.
    """

    users: list[str]
    contexts: ItemSets
    targets: ItemSets
    history: Matrix
    sequences: Sequences | None = None

    def __len__(self) -> int:
        return len(self.users)

    @property
    def taken(self) -> ItemSets:
        """The items of the history."""
        return ItemSets(self.history.indptr.astype(np.int64), self.history.indices.astype(np.int32))

    @property
    def ids(self) -> list[str]:
        """The customers as the shop calls them."""
        return [Subject.from_key(user).id for user in self.users]

    def take(self, queries: npt.NDArray[np.intp], targets: ItemSets | None = None) -> "Queries":
        """Some of the questions, with other targets where they are given (for all of them)."""
        return Queries(
            [self.users[q] for q in queries.tolist()],
            self.contexts.take(queries),
            (self.targets if targets is None else targets).take(queries),
            self.history[queries],
            None if self.sequences is None else self.sequences.take(queries),
        )


@dataclass(frozen=True, slots=True)
class TemporalSplit:
    """A data set cut at ``start``; what happens from ``end`` on is not looked at.

    Attributes:
        start: Unix seconds; every list is made as of this moment.
        end: Unix seconds.
        codes: All items.
        past: What was taken before.
        sold: ``bool[n]``, items that were taken before.
        known: Customers of the window who did something before it.
        new: Customers whose first basket falls into the window and is large enough.
        new_customers: All customers of the window who did nothing before it.
    """

    start: float
    end: float
    codes: ItemCodes
    past: Log
    sold: npt.NDArray[np.bool_]
    known: Queries
    new: Queries
    new_customers: int

    def sample(self, shoppers: int, seed: int) -> "TemporalSplit":
        """The same with at most so many known and so many new customers, drawn by a hash of seed and customer."""
        return replace(self, known=_drawn(self.known, shoppers, seed), new=_drawn(self.new, shoppers, seed))


def split_by_time(dataset: Dataset, start: float, end: float, seed: int) -> TemporalSplit:
    """Cuts a data set.

    Queries are customers (visitors without an account train, but are not asked). A known customer's targets are all
    items taken in the window. A new customer has no history: half of the first basket (chosen by a hash of seed,
    customer and item) is shown as basket, the other half is to be found; baskets of fewer than four items are left
    out.

    Args:
        dataset: With times.
        start: First moment of the test window, Unix seconds.
        end: First moment after it.
        seed: Decides halves of baskets and between equal scores.

    Raises:
        InvalidInput: There is nothing before the window or nobody in it.
    """
    if not start < end:
        raise InvalidInput("to", "is not after --from; the test window is empty")
    table = targets_of(dataset)
    past = table.filter(pl.col("time") < start)
    window = table.filter(
        (pl.col("time") >= start) & (pl.col("time") < end) & pl.col("user").str.starts_with("u:")
    )
    if past.is_empty() or window.is_empty():
        first, last = dataset.manifest.first_time, dataset.manifest.last_time
        empty = "before --from" if past.is_empty() else "between --from and --to"
        raise InvalidInput("from", f"nothing was taken {empty}; the data set goes from {first} to {last}")
    catalog = dataset.items()
    known_ids = [] if catalog is None else catalog["item_id"].to_list()
    codes = ItemCodes([*table["item"].unique().to_list(), *known_ids], seed)
    seen = (
        dataset.events()
        .filter(pl.col("time").dt.epoch("us") < int(start * 1e6))
        .select("u:" + pl.col("user_id"))
        .unique()
        .collect()
        .to_series()
    )
    is_known = pl.col("user").is_in(seen.implode())
    log = Log.of(past, codes)
    sold = np.zeros(len(codes), np.bool_)
    sold[log.item] = True
    newcomers = window.filter(~is_known)
    return TemporalSplit(
        start,
        end,
        codes,
        log,
        sold,
        known=_known(window.filter(is_known), log, codes),
        new=_new(newcomers, codes, seed),
        new_customers=newcomers["user"].n_unique(),
    )


def _drawn(queries: Queries, count: int, seed: int) -> Queries:
    if len(queries) <= count:
        return queries
    keys = tie_keys([f"sample\0{user}" for user in queries.users], seed)
    return queries.take(np.sort(np.argsort(keys, kind="stable")[:count]))


def _known(window: pl.DataFrame, log: Log, codes: ItemCodes) -> Queries:
    users = sorted(window["user"].unique().to_list())
    row_of = {user: row for row, user in enumerate(log.users)}
    # A customer who only looked before has an empty row of history, behind the last one.
    rows = np.array([row_of.get(user, len(log.users)) for user in users], np.intp)
    query_of = np.full(len(log.users) + 1, -1, np.int64)
    query_of[rows] = np.arange(len(users))
    query_of[-1] = -1
    sequences = Sequences.of_rows(query_of[log.user], log.item, len(users), log.time)
    return Queries(
        users, _none(len(users)), _sets(window, users, codes), log.counts(spare=1)[rows], sequences
    )


def _new(window: pl.DataFrame, codes: ItemCodes, seed: int) -> Queries:
    first = pl.col("time") - pl.col("time").min().over("user") <= BASKET_SECONDS
    basket = window.filter(first).unique(["user", "item"]).with_columns(size=pl.len().over("user"))
    basket = basket.filter(pl.col("size") >= SMALLEST_BASKET)
    drawn = tie_keys((f"{user}\0{item}" for user, item in basket.select("user", "item").iter_rows()), seed)
    basket = basket.with_columns(drawn=pl.Series(drawn, dtype=pl.UInt64))
    basket = basket.with_columns(place=pl.col("drawn").rank("ordinal").over("user"))
    shown = pl.col("place") <= pl.col("size") // 2
    users = sorted(basket["user"].unique().to_list())
    contexts = _sets(basket.filter(shown), users, codes)
    history = Matrix(
        (np.ones(len(contexts.items)), contexts.items, contexts.offsets), (len(users), len(codes))
    )
    # What lies in a basket lies there at one moment.
    together = Sequences.of_rows(contexts.queries, contexts.items, len(users), np.zeros(len(contexts.items)))
    return Queries(users, contexts, _sets(basket.filter(~shown), users, codes), history, together)


def _sets(rows: pl.DataFrame, users: list[str], codes: ItemCodes) -> ItemSets:
    place = {user: row for row, user in enumerate(users)}
    queries = np.array([place[user] for user in rows["user"].to_list()], np.int64)
    return ItemSets.of_pairs(queries, codes.codes(rows["item"].to_list()), len(users))


def _none(size: int) -> ItemSets:
    return ItemSets(np.zeros(size + 1, np.int64), np.empty(0, np.int32))
