"""Sessions: after each prefix of a visit, the next item is asked for."""

from pathlib import Path

from vitrine_export.evaluate.tasks.task import Task
from vitrine_export.exams import Exam, LabelQuery
from vitrine_export.exams.undated import with_prefixes
from vitrine_export.plain import plain_dataset, read_items, read_prefixes, read_sessions

_EVENT = "click"


def sessions(train: Path, test: Path, items: Path | None, folder: Path) -> tuple[Task, ...]:
    """Every prefix of the test file asks; full ranking over all items, those of the prefix included.

    Args:
        train: Lines of ``item item …``, one visit each, oldest first.
        test: Lines of ``item item … TAB target``.
        items: What is known of the items, if anything.
        folder: Where data sets go.

    Raises:
        InvalidInput: A file cannot be used.
    """
    learned = read_sessions(train, "train")
    asked = read_prefixes(test, "test")
    prefixes, targets = asked.lines, asked.targets
    data = plain_dataset(
        folder / "train",
        [f"s{name}" for name in learned.names],
        learned.items,
        event=_EVENT,
        ordered=True,
        name=train.parent.name or train.stem,
        source=train.name,
        items=None if items is None else read_items(items),
        more_items=[*targets, *(item for prefix in prefixes.items for item in prefix)],
        anonymous=True,
    )
    names = [f"t{name}" for name in prefixes.names]
    shown = [
        (name, item, _EVENT) for name, prefix in zip(names, prefixes.items, strict=True) for item in prefix
    ]
    queries = [
        LabelQuery(f"a:{name}", "home", (), frozenset((target,)))
        for name, target in zip(names, targets, strict=True)
    ]
    task = Task(
        protocol="sessions",
        kind="sessions",
        key="sessions",
        title="The next item of each visit",
        sentence="the training visits are learned from, the next item after each prefix of the test visits is asked for",
        exam=Exam(data, with_prefixes(data, folder / "shop", data, shown), None, queries),
        labels=prefixes.names,
        owners=asked.owners,
        masked=False,
        headline_measures=("hr@20", "mrr@20"),
        note="With one target, HR@k is what papers on sessions call P@k. Items may repeat, nothing is left out.",
    )
    return (task,)
