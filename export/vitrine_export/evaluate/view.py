"""The classification view of a pipeline: its threshold is chosen on what was held out of training."""

from collections import deque
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.evaluate.classification import Classification, best_threshold, classify, pairs
from vitrine_export.evaluate.classification_serving import paired_scores
from vitrine_export.evaluate.lists import ItemCodes
from vitrine_export.evaluate.report import PIPELINE, Row, Table
from vitrine_export.evaluate.tasks.columns import items_of, queries_of
from vitrine_export.evaluate.temporal import Queries
from vitrine_export.exams.exam import Exam
from vitrine_export.train import Parameters
from vitrine_export.train.base import read_history
from vitrine_export.train.rankers import held_out

# Questions of which pairs are scored, here and where the threshold is chosen: each costs a window.
_MOST = 3000
_MEASURES = ("auc", "accuracy", "precision", "recall", "f1")


def threshold_of(
    learned: Dataset,
    bundle: Path,
    parameters: Parameters,
    config: Config,
    folder: Path,
    *,
    scene: str,
    masked: bool,
    seed: int,
    until: datetime | None = None,
    progress: Progress = quiet,
) -> float | None:
    """The place from which on an item counts as one that the shopper takes, chosen on what was held out last.

    Args:
        learned: What was learned from.
        bundle: Models whose base knows nothing of what was held out (`train`, ``keep_held_out``).
        parameters: Settings of that training.
        config: The server's configuration.
        folder: Where data sets go.
        scene: Which window.
        masked: Whether what a shopper knows can be no negative.
        seed: As in that training.
        until: As in that training.
        progress: Told how far it is.

    Returns:
        Nothing where nothing was held out.
    """
    exams, _ = held_out(learned, read_history(learned, until, seed), parameters, config, folder, seed)
    last = deque(exams, maxlen=1)
    exam = last.pop() if last else None
    asked = [query for query in exam.queries if query.scene == scene] if exam else []
    if exam is None or not asked:
        return None
    keys = tie_keys([f"threshold\0{query.subject}" for query in asked], seed)
    asked = [asked[i] for i in np.sort(np.argsort(keys, kind="stable")[:_MOST]).tolist()]
    exam = Exam(exam.learn, exam.shop, exam.until, asked)
    codes = ItemCodes(items_of(exam.shop), seed)
    shop = OfflineShop.open(
        exam.shop,
        config,
        load_bundle(bundle, config.inference),
        until=exam.until,
        subjects={query.subject for query in asked},
        popular=exam.learn,
        progress=part_of(progress, 0.0, 0.3),
    )
    try:
        queries = queries_of(exam, codes)
        found = pairs(queries, codes, seed, masked=masked)
        if not len(found):
            return None
        scores = paired_scores(shop, queries, codes, found, scene, seed, part_of(progress, 0.3, 1.0))
    finally:
        shop.close()
    return best_threshold(*scores)


def classification(
    shop: OfflineShop,
    queries: Queries,
    codes: ItemCodes,
    threshold: float,
    *,
    scene: str,
    masked: bool,
    seed: int,
    users: npt.NDArray[np.integer] | None = None,
    catalogue: npt.NDArray[np.bool_] | None = None,
    progress: Progress = quiet,
) -> tuple[Classification, int]:
    """One uniform negative for each target; answers how many questions were asked, too.

    Args:
        shop: Who answers.
        queries: The questions; of many, some are drawn by a hash.
        codes: All items.
        threshold: See `threshold_of`.
        scene: Which window.
        masked: See there.
        seed: Decides everything random.
        users: ``int[q]``, a number for the user of each question, where one user has several.
        catalogue: ``bool[n]``, what negatives are drawn from; all items unless told.
        progress: Told how far it is.
    """
    keys = tie_keys([f"classified\0{user}" for user in queries.users], seed)
    drawn = np.sort(np.argsort(keys, kind="stable")[:_MOST])
    some = queries.take(drawn)
    found = pairs(some, codes, seed, masked=masked, catalogue=catalogue)
    scores = paired_scores(shop, some, codes, found, scene, seed, progress)
    return classify(found, *scores, threshold, seed, None if users is None else users[drawn]), len(some)


def table_of_view(key: str, title: str, found: Classification, asked: int) -> Table:
    """The classification view as a table."""
    figures = {name: getattr(found, name) for name in _MEASURES}
    row = Row(
        PIPELINE,
        {name: figure.mean for name, figure in figures.items()},
        {name: (figure.low, figure.high) for name, figure in figures.items()},
    )
    return Table(
        f"{key}_classification",
        f"{title}: told from an item drawn at random",
        asked,
        [row],
        note=f"One uniform negative for each of {found.pairs:,} targets; the threshold {found.threshold:.4f} was chosen on "
        "what training held out.",
    )
