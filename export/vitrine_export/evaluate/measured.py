"""What is found for a task."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.beyond import Background
from vitrine_export.evaluate.classification import Classification
from vitrine_export.evaluate.lists import ItemCodes, Lists
from vitrine_export.evaluate.page.chapters import People
from vitrine_export.evaluate.published import Published
from vitrine_export.evaluate.report import Table
from vitrine_export.evaluate.tasks import Task
from vitrine_export.evaluate.temporal import Queries
from vitrine_export.train import TrainReport


@dataclass(slots=True)
class Measured:
    """What was found for a task.

    Attributes:
        task: The task.
        codes: All items.
        queries: The questions.
        users: ``int[q]``, a number for the user of each.
        methods: Lists by method, those of the pipeline under `PIPELINE`.
        rankers: Which of the methods are one ranker alone.
        table: The table of them.
        trained: What training reported, where that was part of it.
        view: The classification view, where there is one.
        without: Some of the questions, and the lists of the pipeline without each of its parts.
        background: What lists are seen against.
        people: Some of those who asked.
        published: What others have published.
    """

    task: Task
    codes: ItemCodes
    queries: Queries
    users: npt.NDArray[np.integer]
    methods: dict[str, Lists] = field(default_factory=dict)
    rankers: tuple[str, ...] = ()
    table: Table = field(default_factory=lambda: Table("", "", 0, []))
    trained: TrainReport | None = None
    view: Classification | None = None
    without: tuple[Queries, dict[str, Lists]] | None = None
    background: Background | None = None
    people: People | None = None
    published: Published | None = None
