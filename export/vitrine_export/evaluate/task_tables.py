"""Tables of a task: all methods, and the pipeline without each of its parts."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vitrine.app.offline import OfflineShop
from vitrine.domain.ids import tie_keys
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.evaluate.bootstrap import intervals, paired
from vitrine_export.evaluate.lists import Lists
from vitrine_export.evaluate.measured import Measured
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.page.compose.chapter import ABLATION
from vitrine_export.evaluate.report import PIPELINE, Comparison, Row, Table
from vitrine_export.evaluate.serving import Windows, ablated, served
from vitrine_export.evaluate.tasks import Task
from vitrine_export.evaluate.temporal import Queries

# The scene that is asked for.
HOME = "home"
# The pipeline without each of its parts is asked by so many: each part costs a pass.
_ABLATED = 1000


def table_of(found: Measured, *, cuts: list[int], seed: int) -> Table:
    """The measures of all methods, and how far the pipeline is ahead of the best of the others.

    Args:
        found: The lists.
        cuts: Lengths at which lists are measured.
        seed: Decides what the bootstrap draws.
    """
    task, targets = found.task, found.queries.targets
    values = {name: measure(lists, targets, cuts) for name, lists in found.methods.items()}
    rows = [Row(name, {m: float(v.mean()) for m, v in measures.items()}) for name, measures in values.items()]
    spread = intervals(values[PIPELINE], seed, found.users)
    for row in rows:
        if row.method == PIPELINE:
            row.intervals.update((name, (around.low, around.high)) for name, around in spread.items())
    comparisons = []
    for name in task.headline_measures:
        others = [row for row in rows if row.method != PIPELINE and name in row.values]
        if name not in values[PIPELINE] or not others:
            continue
        best = max(others, key=lambda row: row.values[name]).method
        gap = paired(values[PIPELINE][name], values[best][name], seed, found.users)
        comparisons.append(Comparison(best, name, gap))
    last = cuts[-1]
    main = tuple(dict.fromkeys((*task.headline_measures, f"recall@{last}", f"ndcg@{last}", f"mrr@{last}")))
    return Table(task.key, task.title, len(found.queries), rows, comparisons, task.note, found.rankers, main)


def tables_apart(found: Measured, *, cuts: list[int], seed: int) -> list[Table]:
    """The same lists by whether who asked had met the target before; nothing where a list may hold no such item.

    A method that only repeats looks good where many targets are repeats, so both are told apart.

    Args:
        found: The lists.
        cuts: Lengths at which lists are measured.
        seed: Decides what the bootstrap draws.
    """
    task, targets = found.task, found.queries.targets
    if task.masked:
        return []
    fresh = targets.less(found.queries.taken)
    parts = (
        ("repeated", "targets already in the visit", targets.less(fresh)),
        ("fresh", "targets new in the visit", fresh),
    )
    tables = []
    for key, title, some in parts:
        rows = np.flatnonzero(some.sizes > 0)
        if not len(rows):
            continue
        mine = replace(
            found,
            task=replace(
                task,
                key=f"{task.key}_{key}",
                title=f"{task.title}: {title}",
                note=f"The same lists, for the {len(rows):,} of {len(targets):,} questions with such a target.",
            ),
            queries=found.queries.take(rows, some),
            users=found.users[rows],
            methods={name: lists.take(rows) for name, lists in found.methods.items()},
        )
        tables.append(table_of(mine, cuts=cuts, seed=seed))
    return tables


def ablated_lists(
    found: Measured, shop: OfflineShop, seed: int, progress: Progress = quiet
) -> tuple[Queries, dict[str, Lists]]:
    """The pipeline without each of its parts, asked by some."""
    keys = tie_keys([f"ablation\0{user}" for user in found.queries.users], seed)
    drawn = np.sort(np.argsort(keys, kind="stable")[:_ABLATED])
    some, k = found.queries.take(drawn), found.methods[PIPELINE].items.shape[1]
    parts = ablated(shop.config, HOME, {name for name, _ in shop.versions.plugins})
    methods = {PIPELINE: found.methods[PIPELINE].take(drawn)}
    windows = Windows(some, found.codes, HOME, k)
    for step, (name, config) in enumerate(parts.items()):
        share = part_of(progress, step / len(parts), (step + 1) / len(parts))
        methods[name] = served(shop.variant(config), windows, share)
    return some, methods


def ablation_table(task: Task, some: Queries, methods: Mapping[str, Lists]) -> Table:
    """What the pipeline is worth without each of its parts."""
    cuts = sorted({int(name.partition("@")[2]) for name in task.headline_measures})
    rows = []
    for name, lists in methods.items():
        values = measure(lists, some.targets, cuts)
        rows.append(Row(name, {m: float(values[m].mean()) for m in task.headline_measures}))
    return Table(
        f"{task.key}{ABLATION}",
        f"{task.title}: without each part",
        len(some),
        rows,
        note=f"{len(some):,} questions drawn by a hash; nothing is trained again.",
    )
