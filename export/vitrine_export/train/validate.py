"""Measures models on the end of the training window, fitted to what came before it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ItemItem
from vitrine.domain.profile import DAY
from vitrine_export.train.interactions import Interactions, Matrix, half_life_seconds
from vitrine_export.train.parameters import Parameters

_MAX_SUBJECTS = 2000
_SLICE_DAYS = 28.0
_SLICE_SHARE = 0.15
# Without times: the share of a shopper's items, and how many items of a shopper there must be.
_SHARE = 0.2
_LEAST = 3
K = 20


@dataclass(frozen=True, slots=True)
class Holdout:
    """What came before, and what some shoppers were newly interested in after.

    Attributes:
        before: The events to fit to.
        history: ``v × n`` interactions of v shoppers before.
        targets: For each of them, ``int64`` rows of items that are new to them.
        label: What was held out, for people.
    """

    before: Interactions
    history: Matrix
    targets: list[npt.NDArray[np.int64]]
    label: str


def hold_out(interactions: Interactions, parameters: Parameters, seed: int) -> Holdout | None:
    """Holds out the last weeks; without times each shopper's last item; without order a fifth of each one's items.

    Returns:
        Nothing when no shopper of before has anything new after.
    """
    if interactions.times is not None and len(interactions):
        first, last = float(interactions.times.min()), float(interactions.times.max())
        length = min(_SLICE_DAYS * DAY, _SLICE_SHARE * (last - first))
        after = interactions.times > last - length
        label = f"last {length / DAY:.0f} days"
    elif interactions.ordered:
        after = _last_items(interactions)
        label = "last item of each shopper"
    else:
        after = _some_items(interactions, seed)
        label = "a fifth of each shopper's items"
    before = interactions.where(~after)
    history = before.by_subject(half_life_seconds(parameters.half_life_days), parameters.max_history)
    # Everything that was touched before is not new, also what the cut of a long history left out.
    shape = (interactions.subject_count, interactions.item_count)
    pairs = np.setdiff1d(
        np.unique(_pairs(interactions.where(after), shape)),
        np.unique(_pairs(before, shape)),
        assume_unique=True,
    )
    who, item = np.divmod(pairs, shape[1])
    known = np.diff(history.indptr)[who] > 0
    who, item = who[known], item[known]
    subjects = np.unique(who)
    if not subjects.size:
        return None
    if len(subjects) > _MAX_SUBJECTS:
        subjects = np.sort(np.random.default_rng(seed).choice(subjects, _MAX_SUBJECTS, replace=False))
    bounds = np.searchsorted(who, np.stack((subjects, subjects + 1)))
    targets = [item[a:b] for a, b in bounds.T]
    return Holdout(before, history[subjects], targets, label)


def recall(model: ItemItem, holdout: Holdout) -> float:
    """Recall@20 of a model alone, new items only: hits ÷ targets, mean over shoppers; scored by the serving code."""
    history = holdout.history
    found = 0.0
    for row, targets in enumerate(holdout.targets):
        own = slice(history.indptr[row], history.indptr[row + 1])
        scores = model.scores(history.indices[own], history.data[own])
        found += _hits(scores, history.indices[own], targets)
    return found / len(holdout.targets)


def popularity_recall(holdout: Holdout, half_life: float = 30 * DAY) -> float:
    """The same for what was popular lately."""
    before = holdout.before
    popular = np.bincount(before.items, before.values(half_life), before.item_count).astype(np.float32)
    history = holdout.history
    found = 0.0
    for row, targets in enumerate(holdout.targets):
        found += _hits(
            popular.copy(), history.indices[history.indptr[row] : history.indptr[row + 1]], targets
        )
    return found / len(holdout.targets)


def _hits(
    scores: npt.NDArray[np.float32], seen: npt.NDArray[np.int32], targets: npt.NDArray[np.int64]
) -> float:
    scores[seen] = 0
    k = min(K, len(scores))
    top = np.argpartition(scores, -k)[-k:]
    # An item without a score was not found.
    return float(np.isin(top[scores[top] > 0], targets).sum()) / len(targets)


def _some_items(interactions: Interactions, seed: int) -> npt.NDArray[np.bool_]:
    """A fifth of the items of each shopper who has at least three, whatever their order; never all of them."""
    shape = (interactions.subject_count, interactions.item_count)
    pairs, where = np.unique(_pairs(interactions, shape), return_inverse=True)
    who = pairs // shape[1]
    size = np.bincount(who, minlength=shape[0])
    drawn = np.random.default_rng(seed).random(len(pairs))
    place = np.empty(len(pairs))
    place[np.lexsort((drawn, who))] = np.arange(len(pairs))
    place -= (np.cumsum(size) - size)[who]
    # Rounded up, so that the shortest histories are asked about, too.
    mask: npt.NDArray[np.bool_] = (place < np.ceil(_SHARE * size)[who]) & (size[who] >= _LEAST)
    return mask[where]


def _last_items(interactions: Interactions) -> npt.NDArray[np.bool_]:
    """The events on the item that a shopper turned to last, where there are at least two others."""
    last = np.full(interactions.subject_count, -1, np.int64)
    last[interactions.subjects] = interactions.items  # the last write stands
    shape = (interactions.subject_count, interactions.item_count)
    distinct = np.bincount(np.unique(_pairs(interactions, shape)) // shape[1], minlength=shape[0])
    mask: npt.NDArray[np.bool_] = interactions.items == last[interactions.subjects]
    return mask & (distinct[interactions.subjects] >= _LEAST)


def _pairs(interactions: Interactions, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    return interactions.subjects.astype(np.int64) * shape[1] + interactions.items
