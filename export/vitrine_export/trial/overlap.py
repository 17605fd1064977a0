"""How far a ranker says what others say already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from vitrine.app.offline import OfflineShop
from vitrine.progress import Progress
from vitrine.recommendation.query import WindowQuery
from vitrine_export.evaluate.lists import Lists
from vitrine_export.evaluate.serving import BATCH

Column = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Overlap:
    """A ranker beside another one.

    Attributes:
        other: The other.
        shared: Mean share of its list, made by it alone, that the other's list has, too; NaN without lists.
        correlation: Mean Spearman correlation over the candidates of a query of which both say something; NaN where
            that is nowhere defined.
    """

    other: str
    shared: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Says:
    """What a ranker says of the candidates.

    Attributes:
        covered: Share of candidates of which it says something (is not NaN).
        silent: Share of queries in which it tells no candidate from another.
    """

    covered: float
    silent: float


def shared(mine: Lists, theirs: Lists) -> float:
    """Mean over queries of |mine ∩ theirs| ÷ |mine|; queries without a list of mine are left out."""
    there = mine.items >= 0
    row = np.arange(len(mine))[:, None] << 32
    common = np.isin(row | mine.items, row | theirs.items) & there
    some = there.any(axis=1)
    return float((common.sum(1)[some] / there.sum(1)[some]).mean()) if some.any() else float("nan")


def spearman(one: Column, other: Column) -> float:
    """Rank correlation with mean ranks of equals; NaN where fewer than three have both, or one tells none apart."""
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 3:
        return float("nan")
    x, y = rankdata(one[both]), rankdata(other[both])
    x, y = x - x.mean(), y - y.mean()
    norm = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / norm) if norm > 0 else float("nan")


def overlap(
    shop: OfflineShop,
    queries: Sequence[WindowQuery],
    name: str,
    alone: Mapping[str, Lists],
    progress: Progress,
) -> tuple[list[Overlap], Says]:
    """A ranker beside every other ranker of the pipeline.

    Args:
        shop: With the pipeline.
        queries: Whose candidates to score.
        name: The ranker.
        alone: The lists of rankers alone, for the same queries.
        progress: Told how far it is.
    """
    correlations: dict[str, list[float]] = {}
    said, candidates, silent, count = 0, 0, 0, 0
    for start in range(0, len(queries), BATCH):
        some = queries[start : start + BATCH]
        scored = shop.scored(some)
        mine = scored.scores.get(name)
        offsets = scored.batch.offsets
        for i in range(len(some)):
            own = slice(int(offsets[i]), int(offsets[i + 1]))
            if mine is None or own.start == own.stop:
                continue
            column = mine[own]
            known = column[~np.isnan(column)]
            said, candidates, count = said + len(known), candidates + len(column), count + 1
            silent += len(known) == 0 or bool((known == known[0]).all())
            for other, theirs in scored.scores.items():
                if other != name:
                    correlations.setdefault(other, []).append(spearman(column, theirs[own]))
        progress("scores", (start + len(some)) / len(queries))
    rows = [
        Overlap(
            other,
            shared(alone[name], alone[other]) if name in alone and other in alone else float("nan"),
            _mean(values),
        )
        for other, values in correlations.items()
    ]
    return rows, Says(said / max(candidates, 1), silent / max(count, 1))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
