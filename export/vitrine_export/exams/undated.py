"""Exams of data without times: last items, a share of the items, whole shoppers."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine_export.exams.exam import Exam, LabelQuery

# Of shoppers with fewer items nothing is held out: too little would be shown.
_LEAST = 3
_SUBJECT = pl.coalesce("u:" + pl.col("user_id"), "a:" + pl.col("anonymous_id"))
# So many folds the items, or the shoppers, are divided into; one of them is asked for.
FOLDS = 5


def hold_out_last(dataset: Dataset, folder: Path, *, scene: str, limit: int, seed: int) -> Exam:
    """The last item of each shopper is asked for; by the order of rows, which a data set of lists has; else any one.

    Args:
        dataset: Without times.
        folder: Where the rest goes, as a data set.
        scene: The scene that is asked for.
        limit: At most so many questions, drawn by a hash.
        seed: Decides what is drawn.
    """
    events = _events(dataset)
    # Where rows have no order, one of them is drawn: where it stands may tell what nobody declared.
    later = pl.len().over("subject") - 1 - pl.int_range(pl.len()).over("subject")
    if not dataset.has.ordered:
        keys = tie_keys([f"{a}\0{b}" for a, b in events.select("subject", "item_id").iter_rows()], seed)
        events = events.with_columns(key=pl.Series(keys))
        later = pl.col("key").rank("ordinal").over("subject").cast(pl.Int64) - 1
    events = events.with_columns(later=later, size=pl.len().over("subject"))
    out = (pl.col("later") == 0) & (pl.col("size") >= _LEAST)
    asked = events.filter(out)
    queries = [
        LabelQuery(subject, scene, (), frozenset((item,)))
        for subject, item in asked.select("subject", "item_id").iter_rows()
    ]
    learn = _rest(dataset, folder, events.filter(~out))
    return Exam(learn, learn, None, drawn(queries, limit, seed))


def hold_out_share(dataset: Dataset, folder: Path, *, fold: int, scene: str, limit: int, seed: int) -> Exam:
    """A share of each shopper's items is asked for; other arguments as for `hold_out_last`.

    Args:
        dataset: Without times.
        folder: Where the rest goes.
        fold: Which of the `FOLDS` shares.
        scene: See there.
        limit: See there.
        seed: Decides what belongs to which share, too.
    """
    events = _events(dataset)
    keys = tie_keys(
        [f"{subject}\0{item}" for subject, item in events.select("subject", "item_id").iter_rows()], seed
    )
    events = events.with_columns(
        chosen=pl.Series(keys % np.uint64(FOLDS) == fold), size=pl.col("item_id").n_unique().over("subject")
    )
    # Some of every history stays.
    out = pl.col("chosen") & (pl.col("size") >= _LEAST) & ~pl.col("chosen").all().over("subject")
    asked = events.filter(out).group_by("subject", maintain_order=True).agg("item_id")
    queries = [LabelQuery(subject, scene, (), frozenset(items)) for subject, items in asked.iter_rows()]
    learn = _rest(dataset, folder, events.filter(~out))
    return Exam(learn, learn, None, drawn(queries, limit, seed))


def hold_out_subjects(
    dataset: Dataset, folder: Path, *, fold: int, scene: str, limit: int, seed: int
) -> Exam:
    """Whole shoppers are held out; after each of their events the next item is asked for.

    Arguments as for `hold_out_share`, the shares being of shoppers.
    """
    events = _events(dataset)
    subjects = events["subject"].unique(maintain_order=True)
    chosen = tie_keys([f"fold\0{subject}" for subject in subjects.to_list()], seed) % np.uint64(FOLDS) == fold
    out = pl.col("subject").is_in(subjects.filter(pl.Series(chosen)).implode())
    sessions = events.filter(out).group_by("subject", maintain_order=True).agg("item_id", "type")
    places = [
        (row, length)
        for row, size in enumerate(sessions["item_id"].list.len().to_list())
        for length in range(1, size)
    ]
    names = [f"{row}\0{length}" for row, length in places]
    if len(places) > limit:
        keep = np.sort(np.argsort(tie_keys(names, seed), kind="stable")[:limit])
        places = [places[i] for i in keep.tolist()]
    owners, items, types = (sessions[name].to_list() for name in ("subject", "item_id", "type"))
    queries, shown = [], []
    for row, length in places:
        name = f"{owners[row]}:{length}"
        queries.append(LabelQuery(f"a:{name}", scene, (), frozenset((items[row][length],)), owners[row]))
        shown += [(name, item, kind) for item, kind in zip(items[row][:length], types[row], strict=False)]
    learn = _rest(dataset, folder / "learn", events.filter(~out))
    return Exam(learn, with_prefixes(dataset, folder / "shop", learn, shown), None, queries)


def with_prefixes(
    dataset: Dataset, folder: Path, learn: Dataset, shown: Sequence[tuple[str, str, str]]
) -> Dataset:
    """The data set that models learn from, and visitors beside it of whom something is shown.

    Args:
        dataset: What both are of.
        folder: Where to.
        learn: What models learn from.
        shown: Anonymous id, item and type of each event, in order.
    """
    more = pl.DataFrame(shown, schema=["anonymous_id", "item_id", "type"], orient="row").with_columns(
        event_id=pl.format("shown-{}", pl.int_range(pl.len()))
    )
    return _rest(dataset, folder, pl.concat([learn.events().collect(), more], how="diagonal"))


def without_times(dataset: Dataset, folder: Path, until: datetime | None, seed: int) -> Dataset:
    """What happened before a moment, in order, its times left out: what the exams of this file are made of.

    Events with equal times, as of an invoice, stand in the order of a hash.

    Args:
        dataset: With times.
        folder: Where to.
        until: Nothing from this moment on is in it; ``None`` for everything.
        seed: Decides what stands first of what came at one moment.
    """
    events = dataset.events().filter(pl.col("time").is_not_null())
    if until is not None:
        events = events.filter(pl.col("time") < until)
    table = events.collect()
    table = table.with_columns(key=pl.Series(tie_keys(table["event_id"].to_list(), seed), dtype=pl.UInt64))
    table = table.sort("time", "key", maintain_order=True).drop("time", "key")
    return Dataset.write(
        folder,
        table,
        dataset.items(),
        name=dataset.manifest.name,
        source=dataset.manifest.source,
        items_given=dataset.has.items,
        ordered=True,
    )


def drawn(queries: Sequence[LabelQuery], limit: int, seed: int) -> list[LabelQuery]:
    """At most so many questions, drawn by a hash of who asks."""
    if len(queries) <= limit:
        return list(queries)
    keys = tie_keys([query.subject for query in queries], seed)
    return [queries[i] for i in np.sort(np.argsort(keys, kind="stable")[:limit]).tolist()]


def _events(dataset: Dataset) -> pl.DataFrame:
    return dataset.events().filter(pl.col("item_id").is_not_null()).with_columns(subject=_SUBJECT).collect()


def _rest(dataset: Dataset, folder: Path, events: pl.DataFrame) -> Dataset:
    has = dataset.has
    return Dataset.write(
        folder,
        events,
        dataset.items(),
        name=dataset.manifest.name,
        source=dataset.manifest.source,
        items_given=has.items,
        ordered=has.order,
    )
