"""Fills a catalogue and profiles from a data set, through the very code that live updates take."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from vitrine.app.rows import events_of, items_of
from vitrine.app.shop import Stores, make_popularity
from vitrine.client import Vitrine
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.domain.clock import system_clock
from vitrine.domain.events import Event, EventStatus, Verdict
from vitrine.domain.items import Item
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, part_of, quiet
from vitrine.retrieval.activity import LocalActivity, PopularityKeeper
from vitrine.wire.events import event_to_proto, verdict_from_proto
from vitrine.wire.items import item_to_proto

# Batches on their way to the disk at a time: enough for one sync to serve several.
IN_FLIGHT = 8


@dataclass(slots=True)
class Loaded:
    """What was loaded.

    Attributes:
        items: Items.
        accepted: Events that are new.
        duplicate: Events that were there before.
        rejected: Events that were refused.
        first_rejection: Why the first of them was.
    """

    items: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    first_rejection: str = ""

    def count(self, verdicts: Sequence[Verdict]) -> None:
        """Adds the verdicts on a batch."""
        for verdict in verdicts:
            if verdict.status is EventStatus.ACCEPTED:
                self.accepted += 1
            elif verdict.status is EventStatus.DUPLICATE:
                self.duplicate += 1
            else:
                self.rejected += 1
                self.first_rejection = self.first_rejection or f"{verdict.field}: {verdict.message}"


class Sink(Protocol):
    """Where a data set goes."""

    def upsert(self, items: Sequence[Item]) -> None:
        """Adds items; they are durable on return."""
        ...

    def record(self, events: Sequence[Event]) -> Callable[[], Sequence[Verdict]]:
        """Records events; what it answers waits until they are durable."""
        ...


def load_into_store(
    dataset: Dataset, store: Path, config: Config, *, until: float | None = None, progress: Progress = quiet
) -> Loaded:
    """Fills the store of a server that is not running.

    Args:
        dataset: What to load.
        store: Directory of the store; made when it is missing.
        config: The server's configuration.
        until: Leave out events from this moment on, Unix seconds.
        progress: Told how far it is.

    Raises:
        ConfigError: A server uses the store.
    """
    with ExitStack() as closing:
        stores = closing.enter_context(Stores.open(store, config, system_clock))
        # What is popular is counted on the way: else the first server would count all events again, before it serves.
        popularity = make_popularity(stores.catalog, config)
        closing.callback(PopularityKeeper(popularity, stores.items).close)
        closing.callback(LocalActivity(popularity, stores.profiles).close)
        return load(dataset, StoreSink(stores), until=until, progress=progress)


def load_into_server(
    dataset: Dataset, address: str, *, until: float | None = None, progress: Progress = quiet
) -> Loaded:
    """Fills a running server over gRPC. Arguments as for `load_into_store`."""
    with Vitrine(address) as shop:
        return load(dataset, ServerSink(shop), until=until, progress=progress)


def load(dataset: Dataset, sink: Sink, *, until: float | None, progress: Progress = quiet) -> Loaded:
    """Items first, so that events count for their categories; then events in order.

    Raises:
        InvalidInput: ``until`` is given and the events have no times.
    """
    if until is not None and not dataset.has.times:
        raise InvalidInput("until", "the events of this data set have no times; leave it out")
    done = Loaded()
    total = max(dataset.manifest.items, 1)
    report = part_of(progress, 0.0, 0.1)
    for items in items_of(dataset, until):
        sink.upsert(items)
        done.items += len(items)
        report("catalogue", done.items / total)

    events = dataset.events()
    if until is not None:
        events = events.filter(
            pl.col("time") < pl.from_epoch(pl.lit(int(until * 1e6)), "us").dt.replace_time_zone("UTC")
        )
    table = events.collect()
    report, sent = part_of(progress, 0.1, 1.0), 0
    waiting: deque[Callable[[], Sequence[Verdict]]] = deque()
    for batch in events_of(table, system_clock(), ordered=dataset.has.order):
        waiting.append(sink.record(batch))
        if len(waiting) >= IN_FLIGHT:
            done.count(waiting.popleft()())
        sent += len(batch)
        report("profiles", sent / len(table))
    for answer in waiting:
        done.count(answer())
    progress("loaded", 1.0)
    return done


class StoreSink:
    """The stores of a server that is not running."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def upsert(self, items: Sequence[Item]) -> None:
        """Adds items."""
        self._stores.items.upsert(items, None, system_clock())

    def record(self, events: Sequence[Event]) -> Callable[[], Sequence[Verdict]]:
        """Records events of any age."""
        now = max(system_clock(), events[-1].time)
        future = self._stores.profiles.record(events, backfill=True, now=now)
        return lambda: future.result().verdicts


class ServerSink:
    """A running server."""

    def __init__(self, shop: Vitrine) -> None:
        self._shop = shop
        self._revision = ""

    def upsert(self, items: Sequence[Item]) -> None:
        """Adds items."""
        self._revision = self._shop.upsert_items([item_to_proto(i) for i in items], timeout=60.0)

    def record(self, events: Sequence[Event]) -> Callable[[], Sequence[Verdict]]:
        """Records events of any age, once the profile service knows the items."""
        answer = self._shop.record_events(
            [event_to_proto(e) for e in events],
            backfill=True,
            min_catalog_revision=self._revision,
            timeout=60.0,
        )
        verdicts = [verdict_from_proto(v) for v in answer.verdicts]
        return lambda: verdicts
