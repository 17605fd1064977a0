"""What a task is."""

from dataclasses import dataclass

import numpy as np

from vitrine_export.evaluate.lists import ItemCodes
from vitrine_export.evaluate.log import Log
from vitrine_export.evaluate.tasks.columns import items_of, queries_of, rows_of
from vitrine_export.evaluate.temporal import Queries
from vitrine_export.exams import Exam


@dataclass(frozen=True, slots=True)
class Task:
    """A protocol on a data set.

    Attributes:
        protocol: Its name.
        kind: The kind of data, whose configuration is used.
        key: Of its table, for programs.
        title: Of its table, for people.
        sentence: What is done, in one sentence.
        exam: The test; nobody may learn from its answers.
        labels: What each query is called in files: the user's id, or the number of the line.
        owners: Whose query each is, for intervals; several may be one visitor's.
        masked: Whether what a shopper knows is left out of every list.
        headline_measures: What papers report, the first of which decides between methods.
        note: What is to be known.
    """

    protocol: str
    kind: str
    key: str
    title: str
    sentence: str
    exam: Exam
    labels: list[str]
    owners: list[str]
    masked: bool
    headline_measures: tuple[str, ...]
    note: str = ""

    def codes(self, seed: int) -> ItemCodes:
        """All items."""
        return ItemCodes(items_of(self.exam.shop), seed)

    def log(self, codes: ItemCodes) -> Log:
        """What methods may learn from."""
        rows = rows_of(self.exam.learn)
        users = sorted(set(rows["user"].to_list()))
        code_of = {user: code for code, user in enumerate(users)}
        return Log(
            users,
            np.array([code_of[user] for user in rows["user"].to_list()], np.int32),
            codes.codes(rows["item"].to_list()),
            np.zeros(rows.height),
            len(codes),
        )

    def queries(self, codes: ItemCodes) -> Queries:
        """The questions as columns."""
        return queries_of(self.exam, codes)
