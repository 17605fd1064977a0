"""Training examples: what a shopper did before a moment, and what of the visit at that moment is to be foreseen."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vitrine.dataset import STEP
from vitrine.domain.events import INTEREST_BY_TYPE, EventType
from vitrine.domain.profile import DAY
from vitrine.interest.inputs import Shoppers, history_weights
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.interest.settings import InterestSettings

Ints = npt.NDArray[np.int64]
_FORGOTTEN = 0.3
_SLICE_DAYS = 28.0
_SLICE_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Examples:
    """m examples as positions in a `Timeline`. The input ends before ``cut``, what is to be foreseen begins there.

    Attributes:
        begin: ``int64[m]``, first event of the shopper.
        visit: ``int64[m]``, first event of the visit.
        cut: ``int64[m]``, first event at the moment of asking.
        tied: ``int64[m]``, one past the last event at that same moment.
        end: ``int64[m]``, one past the last event of the visit.
        given: ``float64[m]``, the chance of an event at that moment to be the context of the request, such as
            the basket, instead of a target.
    """

    begin: Ints
    visit: Ints
    cut: Ints
    tied: Ints
    end: Ints
    given: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cut)

    def take(self, which: Ints | npt.NDArray[np.bool_]) -> "Examples":
        """Some of them."""
        return Examples(
            self.begin[which],
            self.visit[which],
            self.cut[which],
            self.tied[which],
            self.end[which],
            self.given[which],
        )

    def join(self, other: "Examples") -> "Examples":
        """These and others."""
        return Examples(
            np.concatenate((self.begin, other.begin)),
            np.concatenate((self.visit, other.visit)),
            np.concatenate((self.cut, other.cut)),
            np.concatenate((self.tied, other.tied)),
            np.concatenate((self.end, other.end)),
            np.concatenate((self.given, other.given)),
        )


@dataclass(frozen=True, slots=True)
class Targets:
    """The distinct items to be foreseen: ``int64[t]`` example, ``int64[t]`` item, ``float32[t]`` interest."""

    example: Ints
    item: Ints
    weight: npt.NDArray[np.float32]


class Timeline:
    """Events by shopper and time, cut into visits and moments.

    Without times each event is a visit of its own, in the order of the data, and follows the one before it by `STEP`, as
    in serving; rows of a shopper lie together. Events of one moment are in an order that tells nothing.

    Attributes:
        subject: ``int32[e]``.
        item: ``int32[e]``, rows.
        type: ``int8[e]``, `EventType` numbers.
        time: ``float64[e]``, Unix seconds.
        dated: Whether the times are real.
        visits: ``int64[v + 1]``, first event of each visit.
    """

    def __init__(self, events: Interactions, settings: InterestSettings, seed: int) -> None:
        self.dated = events.times is not None
        time = events.times if events.times is not None else np.arange(len(events)) * STEP
        tie = np.random.default_rng(seed).permutation(len(events)) if self.dated else np.arange(len(events))
        order = np.lexsort((tie, time, events.subjects))
        self.subject = events.subjects[order]
        self.item = events.items[order]
        self.type = events.types[order]
        self.time = time[order]
        self._settings = settings
        gap = settings.session_gap_minutes * 60 if self.dated else 0.0
        n = len(order)
        other = np.ones(n, np.bool_)
        other[1:] = self.subject[1:] != self.subject[:-1]
        moves = np.diff(self.time, prepend=0.0)
        self.visits = np.append(np.flatnonzero(other | (moves > gap)), n)
        self._moments = np.append(np.flatnonzero(other | (moves > 0)), n)
        self._begin = np.flatnonzero(other)[np.cumsum(other) - 1]

    def next_visits(self, visits: npt.NDArray[np.bool_]) -> Examples:
        """One for each of these visits whose shopper came before: asked at its first moment."""
        first = self.visits[:-1][visits]
        first = first[first > self._begin[first]]
        return self._at(first, np.zeros(len(first)))

    def within_visits(self, visits: npt.NDArray[np.bool_], rng: np.random.Generator) -> Examples:
        """One at a random moment of each of these visits that has several events.

        Some of the events at that moment may be given as the context of the request; at the first moment they are.
        """
        chosen = np.flatnonzero(visits & (np.diff(self.visits) > 1))
        first = self.visits[chosen]
        moment = np.searchsorted(self._moments, first)
        last = np.searchsorted(self._moments, self.visits[chosen + 1])
        cut = self._moments[moment + (rng.random(len(first)) * (last - moment)).astype(np.int64)]
        given = rng.uniform(0.05, 0.95, len(cut))
        given[(cut > first) & (rng.random(len(cut)) < 0.5)] = 0.0
        examples = self._at(cut, given)
        # Some as if nothing were known of the shopper but this visit.
        forget = rng.random(len(cut)) < _FORGOTTEN
        return replace(examples, begin=np.where(forget, examples.visit, examples.begin))

    def late_visits(self) -> npt.NDArray[np.bool_]:
        """``bool[v]``: the visits at the end of the window, or without times the last event of each shopper."""
        first = self.visits[:-1]
        if not len(first):
            return np.zeros(0, np.bool_)
        if self.dated:
            length = min(_SLICE_DAYS * DAY, _SLICE_SHARE * (self.time.max() - self.time.min()))
            late: npt.NDArray[np.bool_] = self.time[first] > self.time.max() - length
            return late
        last = np.ones(len(first), np.bool_)
        last[:-1] = self.subject[first[1:]] != self.subject[first[:-1]]
        enough: npt.NDArray[np.bool_] = last & (first - self._begin[first] >= 2)
        return enough

    def _at(self, cut: Ints, given: npt.NDArray[np.float64]) -> Examples:
        visit = np.searchsorted(self.visits, cut, "right") - 1
        moment = np.searchsorted(self._moments, cut, "right")
        return Examples(
            self._begin[cut], self.visits[visit], cut, self._moments[moment], self.visits[visit + 1], given
        )

    def shoppers(self, examples: Examples, rng: np.random.Generator) -> tuple[Shoppers, Targets]:
        """The inputs of examples, as serving makes them from profiles, and what is to be foreseen.

        What is given is no target, and neither is what was done before in the same visit. The input holds nothing of
        the moment of asking but the context.
        """
        m, length = len(examples), self._settings.length
        after, owner = _ranges(examples.cut, examples.end)
        context = after < examples.tied[owner]
        context &= rng.random(len(after)) < examples.given[owner]
        targets = self._targets(examples, after, owner, context)
        latest, whose = _ranges(np.maximum(examples.begin, examples.cut - length), examples.cut)
        shown = np.flatnonzero(context)
        # Half of the contexts are baskets, half are pages.
        as_type = np.where(rng.random(m) < 0.5, EventType.ADD_TO_CART, EventType.VIEW).astype(np.int8)
        order = np.argsort(np.concatenate((whose, owner[shown])), kind="stable")
        ages = (self.time[examples.cut][whose] - self.time[latest]) / DAY
        rows, weights, offsets = self._history(examples, self.item[after[shown]], owner[shown])
        return (
            Shoppers(
                _offsets(np.bincount(whose, minlength=m) + np.bincount(owner[shown], minlength=m)),
                np.concatenate((self.item[latest], self.item[after[shown]]))[order],
                np.concatenate((self.type[latest], as_type[owner[shown]]))[order],
                np.concatenate((ages, np.zeros(len(shown))))[order].astype(np.float32),
                offsets,
                rows,
                weights,
            ),
            targets,
        )

    def _targets(
        self, examples: Examples, after: Ints, owner: Ints, context: npt.NDArray[np.bool_]
    ) -> Targets:
        n = int(self.item.max(initial=0)) + 1
        key = owner * n + self.item[after]
        earlier, whose = _ranges(examples.visit, examples.cut)
        known = np.concatenate((key[context], whose * n + self.item[earlier]))
        keep = ~np.isin(key, known)
        pairs, at = np.unique(key[keep], return_inverse=True)
        interest = np.zeros(len(pairs))
        np.maximum.at(interest, at, INTEREST_BY_TYPE[self.type[after[keep]]])
        example, item = np.divmod(pairs, n)
        return Targets(example, item, interest.astype(np.float32))

    def _history(
        self, examples: Examples, context: npt.NDArray[np.int32], whose: Ints
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], Ints]:
        """Items, weights and offsets of everything before the cut, and of the context."""
        settings = self._settings
        n = int(self.item.max(initial=0)) + 1
        at, owner = _ranges(np.maximum(examples.begin, examples.cut - settings.max_history), examples.cut)
        age = self.time[examples.cut][owner] - self.time[at]
        pairs, place = np.unique(owner * n + self.item[at], return_inverse=True)
        interest = INTEREST_BY_TYPE[self.type[at]]
        interests = np.zeros((2, len(pairs) + len(context)))
        for row, days in zip(
            interests, (settings.long_half_life_days, settings.short_half_life_days), strict=True
        ):
            row[: len(pairs)] = np.bincount(place, interest * np.exp2(-age / (days * DAY)), len(pairs))
        owner, item = np.divmod(np.append(pairs, whose * n + context), n)
        shown = np.arange(len(owner)) >= len(pairs)
        order = np.argsort(owner, kind="stable")
        offsets = _offsets(np.bincount(owner, minlength=len(examples)))
        long, short = interests[:, order]
        weights = history_weights(long, short, shown[order], offsets)
        return item[order].astype(np.int32), weights, offsets


def _ranges(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """All positions of the ranges, and the number of the range of each."""
    size = np.maximum(stop - start, 0)
    owner = np.repeat(np.arange(len(size)), size)
    return np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size) + start[owner], owner


def _offsets(sizes: npt.NDArray[np.integer]) -> Ints:
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
