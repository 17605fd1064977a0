"""The exams that rankers learn from: what is held out of the training data, by what the data is."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vitrine.dataset import Dataset
from vitrine_export.exams.exam import Exam
from vitrine_export.exams.undated import FOLDS, hold_out_last, hold_out_share, hold_out_subjects
from vitrine_export.exams.weeks import Window, label_queries

if TYPE_CHECKING:
    from vitrine_export.train.parameters import Parameters

# The scenes that rerankers learn for: the front page, and the page of the basket.
HOME, CART = "home", "cart"
# By name: the last weeks; the last item of each shopper; a share of each one's items; whole shoppers.
HOLDOUTS = ("weeks", "last", "share", "subjects")


def held_out_exams(
    dataset: Dataset,
    windows: Sequence[Window],
    parameters: "Parameters",
    scenes: Collection[str],
    folder: Path,
    *,
    lists: int,
    seed: int,
) -> Iterator[Exam]:
    """The exams, one after the other, each made as it is asked for; ``parameters.holdout`` says what is held out.

    Args:
        dataset: What may be learned from.
        windows: The weeks, where weeks are held out; the oldest first.
        parameters: Settings.
        scenes: The scenes that there are.
        folder: Where data sets go that lack what is held out.
        lists: At most so many questions of a scene and an exam.
        seed: Decides everything that is drawn.
    """
    if parameters.holdout == "weeks":
        for window in windows:
            queries = label_queries(dataset, window, home=HOME, cart=CART, limit=lists, seed=seed)
            yield Exam(dataset, dataset, window.start, [query for query in queries if query.scene in scenes])
        return
    if HOME not in scenes:
        return
    count = min(parameters.label_windows, FOLDS)
    for number in range(count):
        place = folder / f"exam-{number}"
        match parameters.holdout:
            case "last":
                # The deeper the exam, the earlier: each takes the last item off what the one before it left.
                rest = dataset
                for depth in range(count - number):
                    made = hold_out_last(rest, place / str(depth), scene=HOME, limit=lists, seed=seed)
                    rest = made.learn
                yield made
            case "share":
                yield hold_out_share(dataset, place, fold=number, scene=HOME, limit=lists, seed=seed)
            case _:
                yield hold_out_subjects(dataset, place, fold=number, scene=HOME, limit=lists, seed=seed)
