"""The state of a shop in memory: what the stores of a server hold that took in a data set up to a moment."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
import polars as pl

from vitrine.app.rows import items_of, undated_times
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.domain.events import Activity, EventType
from vitrine.domain.items import Item
from vitrine.domain.profile import DAY
from vitrine.errors import InvalidInput
from vitrine.profile.replay import ProfileBuilder
from vitrine.progress import Progress, part_of, quiet
from vitrine.retrieval import Popularity

_TYPES = {t.name.lower(): int(t) for t in EventType}
_PARTS = 20
# The moment of the latest event of every shopper there, Unix seconds.
_UNDATED = 1e9


@dataclass(frozen=True, slots=True)
class Memory:
    """Catalogue, profiles and popularity.

    Attributes:
        store: The catalogue and its text index.
        profiles: Everybody's profile.
        popularity: What is popular.
        now: The moment it is as of, Unix seconds.
    """

    store: CatalogStore
    profiles: ProfileBuilder
    popularity: Popularity
    now: float

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        config: Config,
        *,
        until: float | None = None,
        early: bool = False,
        subjects: Collection[str] | None = None,
        popular: Dataset | None = None,
        progress: Progress = quiet,
    ) -> "Memory":
        """Takes in a data set.

        Args:
            dataset: The data set.
            config: The server's configuration.
            until: Nothing from this moment on is known, Unix seconds; ``None`` for everything. An item is known from
                its first event on, or from its created time on where the data set came with an item table (where an
                item of that has no created time: always).
            early: Items that came later are there all the same, as if they had come at ``until``.
            subjects: Whose profiles are wanted (`Subject.key`); everybody's unless told. What is popular is so with all.
            popular: What tells what is popular, where some of the events must not.
            progress: Told how far it is.

        Raises:
            InvalidInput: ``until`` is given and the events have no times.
        """
        if until is not None and not dataset.has.times:
            raise InvalidInput("until", "the events of this data set have no times; leave it out")
        events = _dated(dataset, until)
        catalog = Catalog(config.seed)
        store = CatalogStore.open(None, catalog, shop=config.shop)
        seen = set(events["item_id"].drop_nulls().unique().to_list())
        progress("catalogue", 0.0)
        for items in items_of(dataset):
            there = items if until is None else _present(items, seen, until, early, given=dataset.has.items)
            if there:
                store.upsert(there, None, 0.0)

        profiles = ProfileBuilder(catalog.counter_keys, config)
        report = part_of(progress, 0.2, 0.9)
        wanted = events if subjects is None else _of_subjects(events, subjects)
        for part, done in _by_subject(wanted):
            profiles.extend(part)
            report("profiles", done)
        retrieval = config.retrieval
        popularity = Popularity(
            catalog, retrieval.popular_half_life_days * DAY, retrieval.trending_half_life_days * DAY
        )
        # Of events without times nobody can tell which were lately.
        flat = pl.from_epoch(pl.lit(int(_UNDATED * 1e6)), "us").dt.replace_time_zone("UTC")
        counted = events if popular is None else _dated(popular, until)
        popularity.feed(_activity(counted if dataset.has.times else counted.with_columns(time=flat)))
        progress("in memory", 1.0)
        last = events["time"].max()
        end = last.timestamp() + 1 if isinstance(last, datetime) else 0.0
        return cls(store, profiles, popularity, end if until is None else until)


def _dated(dataset: Dataset, until: float | None) -> pl.DataFrame:
    """The events before ``until``; those without a time count back from one moment, by a step each where they have an order.

    So the latest event of every shopper is equally late, and where a shopper stands in the data tells nothing.
    """
    events = dataset.events()
    if until is not None:
        events = events.filter(pl.col("time").dt.epoch("us") < int(until * 1e6))
    if dataset.has.times:
        # Single events without one count as long ago: no number may be missing where popularity adds up.
        order = pl.from_epoch(pl.int_range(1, pl.len() + 1, dtype=pl.Int64) * 1_000, "us")
        return events.with_columns(time=pl.col("time").fill_null(order.dt.replace_time_zone("UTC"))).collect()
    table = events.collect()
    return table.with_columns(time=undated_times(table, _UNDATED, ordered=dataset.has.order))


def _present(items: list[Item], seen: set[str], until: float, early: bool, *, given: bool) -> list[Item]:
    """The items that are there at ``until``; ``given`` tells whether there was an item table."""
    there = [item for item in items if item.item_id in seen or (given and item.created < until)]
    if early:
        known = {item.item_id for item in there}
        there += [msgspec.structs.replace(i, created=until) for i in items if i.item_id not in known]
    return there


def _of_subjects(events: pl.DataFrame, subjects: Collection[str]) -> pl.DataFrame:
    keys = pl.Series(list(subjects), dtype=pl.String)
    subject = pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id"))
    return events.filter(subject.is_in(keys.implode()))


def _by_subject(events: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, float]]:
    """The events in parts, each with all events of its shoppers, and the share that is done with each."""
    if events.is_empty():
        return
    part = pl.coalesce("user_id", "anonymous_id").hash() % _PARTS
    parts = events.with_columns(part=part).partition_by("part", include_key=False, maintain_order=True)
    for done, rows in enumerate(parts, 1):
        yield rows, done / len(parts)


def _activity(events: pl.DataFrame) -> Activity:
    """What popularity counts, as the log of a profile store tells it."""
    rows = events.filter(pl.col("item_id").is_not_null()).select(
        "item_id",
        pl.col("type").replace_strict(_TYPES, return_dtype=pl.Int8),
        pl.col("time").dt.epoch("us") / 1e6,
        pl.col("quantity").fill_null(1.0),
    )
    return Activity(
        rows["item_id"].to_list(),
        rows["type"].to_numpy(),
        rows["time"].to_numpy(),
        rows["quantity"].to_numpy(),
        cursor=max(len(events), 1),
    )
