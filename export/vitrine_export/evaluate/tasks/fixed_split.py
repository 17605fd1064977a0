"""A split that is given: one file to learn from, one that holds the answers."""

from pathlib import Path

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.tasks.task import Task
from vitrine_export.exams import Exam, LabelQuery
from vitrine_export.plain import plain_dataset, read_items, read_users


def fixed_split(train: Path, test: Path, items: Path | None, folder: Path) -> tuple[Task, ...]:
    """Each user of the test file is asked; full ranking over all items but those of the user's training line.

    Args:
        train: Lines of ``user item item …``; their order says nothing.
        test: The same.
        items: What is known of the items, if anything.
        folder: Where the data set goes.

    Raises:
        InvalidInput: A file cannot be used, or no user of the test file has an item that is not in training.
    """
    learned, asked = read_users(train, "train"), read_users(test, "test")
    known = dict(zip(learned.names, map(frozenset, learned.items), strict=True))
    queries, labels = [], []
    for name, own in zip(asked.names, asked.items, strict=True):
        targets = frozenset(own) - known.get(name, frozenset())
        if targets:
            queries.append(LabelQuery(f"u:{name}", "home", (), targets))
            labels.append(name)
    if not queries:
        raise InvalidInput("test", f"{test} asks for nothing that {train} does not hold already")
    data = plain_dataset(
        folder / "train",
        learned.names,
        learned.items,
        event="purchase",
        ordered=False,
        name=train.parent.name or train.stem,
        source=train.name,
        items=None if items is None else read_items(items),
        more_items=(item for query in queries for item in query.targets),
    )
    task = Task(
        protocol="fixed-split",
        kind="check-ins",
        key="fixed_split",
        title="The items of the test file",
        sentence="the training file is learned from, the items of the test file are asked for among all items",
        exam=Exam(data, data, None, queries),
        labels=labels,
        owners=labels,
        masked=True,
        headline_measures=("recall@20", "ndcg@20"),
        note="The items of a user's training line are left out of every list.",
    )
    return (task,)
