"""The classification view: does a score tell what a shopper took from an item drawn at random?

For each target one negative is drawn uniformly from the catalogue. That is an easier question than ranking (most items
are nothing that a shopper would ever take), and its figures compare only with others that were drawn like this.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.bootstrap import Interval, by_user, resampled_sums
from vitrine_export.evaluate.lists import Codes, ItemCodes
from vitrine_export.evaluate.temporal import Queries

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """p targets, each with an item that is none.

    Attributes:
        query: ``int64[p]``, whose target it is, in rising order.
        positive: ``int32[p]``, a target.
        negative: ``int32[p]``, another item.
    """

    query: npt.NDArray[np.int64]
    positive: Codes
    negative: Codes

    def __len__(self) -> int:
        return len(self.query)


@dataclass(frozen=True, slots=True)
class Classification:
    """How well scores tell positives from negatives, each with a 95 % interval by bootstrap over queries or users.

    Attributes:
        auc: Area under the ROC curve of all positives and negatives together: the chance that a positive's score is
            above a negative's, equal scores counting half (Fawcett 2006, Pattern Recognition Letters 27, section 7).
        accuracy: Share of positives and negatives that lie on their side of the threshold.
        precision: Positives among what lies at the threshold or above.
        recall: Positives that lie there.
        f1: Harmonic mean of the two.
        threshold: From which score on an item is called positive.
        pairs: How many.
    """

    auc: Interval
    accuracy: Interval
    precision: Interval
    recall: Interval
    f1: Interval
    threshold: float
    pairs: int


def pairs(
    queries: Queries,
    codes: ItemCodes,
    seed: int,
    *,
    masked: bool = True,
    catalogue: npt.NDArray[np.bool_] | None = None,
) -> Pairs:
    """One negative for each target: neither a target of its query nor in its basket nor, where masked, in its history.

    Args:
        queries: The questions.
        codes: All n items.
        seed: Decides the draw.
        masked: Whether what is in the history cannot be shown, and so is no negative either.
        catalogue: ``bool[n]``, what negatives are drawn from; all items unless told.

    Returns:
        The pairs; a query that leaves no item to draw, as of who took everything, has none.
    """
    pool = np.arange(len(codes)) if catalogue is None else np.flatnonzero(catalogue)
    out = [queries.targets, queries.contexts, *([queries.taken] if masked else [])]
    query = queries.targets.queries
    taken = np.unique(np.concatenate([s.queries << 32 | s.items for s in out]))
    inside = np.isin(taken & 0xFFFFFFFF, pool)
    left = len(pool) - np.bincount(taken[inside] >> 32, minlength=len(queries))
    some = left[query] > 0
    query, positive = query[some], queries.targets.items[some]
    rng = np.random.default_rng(seed)
    negative = np.full(len(query), -1, np.int64)
    open_ = np.arange(len(query))
    while len(open_):
        drawn = pool[rng.integers(0, len(pool), len(open_))]
        good = ~_among(taken, query[open_] << 32 | drawn)
        negative[open_[good]] = drawn[good]
        open_ = open_[~good]
    return Pairs(query, positive, negative.astype(np.int32))


def best_threshold(positive: Values, negative: Values) -> float:
    """The threshold with the highest accuracy, the middle of the widest gap that has it; for a VALIDATION part.

    Args:
        positive: ``float64[p]``, scores of positives.
        negative: ``float64[p]``, scores of negatives.
    """
    scores = np.unique(np.concatenate([positive, negative]))
    if not len(scores):
        raise ValueError("there are no scores to choose a threshold on")
    # Between two scores, and below the lowest: where everything is called positive.
    cuts = np.concatenate([[scores[0]], (scores[1:] + scores[:-1]) / 2])
    gaps = np.concatenate([[0.0], np.diff(scores)])
    above = len(positive) - np.searchsorted(np.sort(positive), cuts)
    below = np.searchsorted(np.sort(negative), cuts)
    return float(cuts[np.lexsort((cuts, gaps, above + below))[-1]])


def classify(
    pairs: Pairs,
    positive: Values,
    negative: Values,
    threshold: float,
    seed: int = 0,
    users: npt.NDArray[np.integer] | None = None,
) -> Classification:
    """Measures of scores that are comparable between queries.

    Precision, recall, F1 and accuracy of a resample are those of what was drawn. Its AUC is that of the whole plus its
    first-order change: each positive stands for the share of negatives that it beats, each negative for the share of
    positives that beat it (the structural components of DeLong et al. 1988, Biometrics 44, summed up by unit as in
    Obuchowski 1997, Biometrics 53).

    Args:
        pairs: What was scored.
        positive: ``float64[p]``, the scores of the positives.
        negative: ``float64[p]``, of the negatives.
        threshold: From which score on an item is called positive; chosen on other queries (`best_threshold`).
        seed: Decides what the bootstrap draws.
        users: ``int[q]``, a number for the user of each query, where one user has several.
    """
    if not len(pairs):
        nothing = Interval(np.nan, np.nan, np.nan)
        return Classification(nothing, nothing, nothing, nothing, nothing, threshold, 0)
    unit = pairs.query if users is None else users[pairs.query]
    beats, beaten = _placements(positive, negative)
    auc = float(beats.mean())
    columns = [positive >= threshold, negative >= threshold, beats + beaten, np.ones(len(pairs))]
    sums = by_user(np.stack(columns, axis=1).astype(np.float64), unit)
    whole, drawn = _figures(sums.sum(axis=0)[None], auc), _figures(resampled_sums(sums, seed), auc)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    found = [Interval(float(v), float(a), float(b)) for v, a, b in zip(whole[0], low, high, strict=True)]
    auc_, accuracy, precision, recall, f1 = found
    return Classification(auc_, accuracy, precision, recall, f1, threshold, len(pairs))


def _placements(positive: Values, negative: Values) -> tuple[Values, Values]:
    """``float64[p]`` each: the share of negatives that a positive beats, of positives that beat a negative; ties half."""
    low, high = np.sort(negative), np.sort(positive)
    beats = np.searchsorted(low, positive, "left") + np.searchsorted(low, positive, "right")
    losses = np.searchsorted(high, negative, "left") + np.searchsorted(high, negative, "right")
    return beats / (2 * len(low)), 1 - losses / (2 * len(high))


def _figures(sums: Values, auc: float) -> Values:
    """``float64[b, 5]``: AUC, accuracy, precision, recall, F1 out of sums over what was drawn."""
    true, false, placed, count = sums.T
    called = np.where(true + false > 0, true + false, 1)
    columns = [
        np.clip(placed / count - auc, 0, 1),
        (true + count - false) / (2 * count),
        true / called,
        true / count,
        2 * true / (true + false + count),
    ]
    return np.stack(columns, axis=1)


def _among(rising: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each value is one of some that stand in rising order."""
    if not len(rising):
        return np.zeros(len(values), np.bool_)
    place = np.minimum(np.searchsorted(rising, values), len(rising) - 1)
    return np.asarray(rising[place] == values)
