"""Leave-one-out: the last item of each user is asked for, the one before it may be used to choose."""

from dataclasses import replace
from pathlib import Path

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.tasks.task import Task
from vitrine_export.exams import Exam, LabelQuery
from vitrine_export.plain import plain_dataset, read_items, read_users

# Users with fewer items are learned from and not asked.
_LEAST = 3


def leave_one_out(sequences: Path, items: Path | None, folder: Path) -> tuple[Task, ...]:
    """The task, and the same where nothing tells what came after what.

    Full ranking over all items, those of the user's own sequence left out. Where the order within a day goes by an
    identifier, every method that looks at the order reads the answer off it; the second task is what is left without.

    Args:
        sequences: Lines of ``user item item …``, oldest first.
        items: What is known of the items, if anything.
        folder: Where data sets go.

    Raises:
        InvalidInput: A file cannot be used, or no user has enough items.
    """
    lines = read_users(sequences, "sequences")
    table = None if items is None else read_items(items)
    asked = {name: own[-1] for name, own in zip(lines.names, lines.items, strict=True) if len(own) >= _LEAST}
    if not asked:
        raise InvalidInput(
            "sequences",
            f"no user of {sequences} has {_LEAST} items or more; nobody's last one can be asked for",
        )
    shown = [own[:-1] if name in asked else own for name, own in zip(lines.names, lines.items, strict=True)]
    queries = [LabelQuery(f"u:{name}", "home", (), frozenset((item,))) for name, item in asked.items()]
    ordered, plain = (
        plain_dataset(
            folder / name,
            lines.names,
            shown,
            event="purchase",
            ordered=has_order,
            name=sequences.parent.name or sequences.stem,
            source=sequences.name,
            items=table,
            more_items=asked.values(),
        )
        for name, has_order in (("ordered", True), ("unordered", False))
    )
    task = Task(
        protocol="leave-one-out",
        kind="sequences",
        key="leave_one_out",
        title="The last item of each user",
        sentence="all but each user's last item are learned from, the last one is asked for among all items",
        exam=Exam(ordered, ordered, None, queries),
        labels=list(asked),
        owners=list(asked),
        masked=True,
        headline_measures=("hr@10", "ndcg@10"),
        note="The user's own items are left out of every list.",
    )
    return task, replace(
        task,
        key="leave_one_out_unordered",
        title="The same without any order",
        exam=Exam(plain, plain, None, queries),
        note="No method knows what came after what: what is left where an order that leaks the answer is taken away.",
    )
